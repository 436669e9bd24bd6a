"""Posting events to their destinations, again and again until they are taken, without holding anybody up.

Stripe retries for three days with growing pauses (docs.stripe.com, "Webhooks", "Retry behavior"); here pauses are
seconds, since somebody who develops waits for them.
"""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from standins.stripe.events import KINDS, body_of, sign

if TYPE_CHECKING:
    import threading

    from standins.stripe.account import Account, Obj

_TIMEOUT: Final = 10
_LONGEST_PAUSE: Final = 30
_TICK: Final = 0.5


class Deliveries:
    """What is still to be delivered; ``run`` delivers it until ``closing`` is set."""

    def __init__(self, account: Account, closing: threading.Event) -> None:
        self._account = account
        self._closing = closing
        self._due: dict[tuple[str, str], float] = {}

    def run(self) -> None:
        """Deliver what is due, for ever. Meant for a thread of its own."""
        while not self._closing.is_set():
            self._account.told.wait(_TICK)
            self._account.told.clear()
            for event, destination in self._ready():
                self._deliver(event, destination)

    def pending(self, destination: str) -> list[Obj]:
        """The events that a destination has not got yet, the oldest first."""
        with self._account.lock:
            events = [one for kind in KINDS for one in self._account.of(kind).values()]
            return [event for event in events if destination in event["_pending"]]

    def done(self, event: Obj, destination: str) -> None:
        """Note that a destination has it."""
        with self._account.lock:
            event["_pending"].pop(destination, None)
            if event["object"] == "event":
                event["pending_webhooks"] = len(event["_pending"])
            self._account.save()

    def _ready(self) -> list[tuple[Obj, Obj]]:
        now = time.monotonic()
        with self._account.lock:
            if self._account.settings["deliveries_paused"]:
                return []
            open_ones = [one for one in self._account.of("webhook_endpoint").values() if one["url"]]
        return [
            (event, one)
            for one in open_ones
            if one["status"] == "enabled"
            for event in self.pending(one["id"])
            if self._due.get((event["id"], one["id"]), 0) <= now
        ]

    def _deliver(self, event: Obj, destination: Obj) -> None:
        if self._closing.is_set():
            return
        name = destination["id"]
        if _post(destination["url"], body_of(event), destination["_secrets"]):
            self.done(event, name)
            self._due.pop((event["id"], name), None)
            return
        with self._account.lock:
            event["_pending"][name] += 1
            pause = min(2.0 ** event["_pending"][name] / 2, _LONGEST_PAUSE)
        self._due[event["id"], name] = time.monotonic() + pause


def _post(url: str, body: bytes, secrets: list[str]) -> bool:
    """Whether the receiver took it: any 2xx. A redirect is none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, secrets),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        return connection.getresponse().status // 100 == 2  # noqa: PLR2004 - success, of any kind
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
