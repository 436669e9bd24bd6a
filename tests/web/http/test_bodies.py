"""Large bodies: few at once, and none that waits keeps another out."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from pigi.errors import Refused
from web.http.requests import LARGE_BYTES, BodyReceiver

MOST = 2 * LARGE_BYTES


def _request(length: int, arrives: threading.Event) -> Any:
    def get_data(**_: Any) -> bytes:
        arrives.wait(20)
        return b""

    return SimpleNamespace(content_length=length, environ={}, max_content_length=None, get_data=get_data)


def _arrived(length: int = MOST) -> Any:
    here = threading.Event()
    here.set()
    return _request(length, here)


def test_large_bodies_in_hand_are_few_and_small_ones_pass() -> None:
    receiver = BodyReceiver(4, 2)
    with receiver.received(_arrived(), MOST), receiver.received(_arrived(), MOST):
        with pytest.raises(Refused, match="unavailable"), receiver.received(_arrived(), MOST):
            pytest.fail("a third was held")
        with receiver.received(_arrived(LARGE_BYTES), MOST):
            pass
    with receiver.received(_arrived(), MOST):
        pass


def test_the_large_body_that_takes_longest_gives_way() -> None:
    receiver, stuck = BodyReceiver(4, 1), threading.Event()
    refused: list[str] = []

    def wait_long() -> None:
        try:
            with receiver.received(_request(MOST, stuck), MOST):
                refused.append("none")
        except Refused as refusal:
            refused.append(refusal.code)

    waiting = threading.Thread(target=wait_long)
    waiting.start()
    while not receiver._waiting:
        waiting.join(0.01)
    with receiver.received(_arrived(), MOST):
        waiting.join(10)
    stuck.set()
    assert refused == ["body_too_slow"]
