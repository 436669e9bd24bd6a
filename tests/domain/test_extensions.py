"""What single tools know: kept as it is, within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pigi.domain.resources import RESOURCES, json_schema
from pigi.domain.resources.saving import check_content
from pigi.errors import Refused
from tests.support.contents import CONTENTS

KINDS = list(RESOURCES)
AS_SENT = '{"z-tool":{"b":1.0,"a":123456789012345678901234567890,"c":[null,true,-0.5,""],"\\u00e9/~":{"y":{},"x":[]}}}'


def _save(kind: str, extensions: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(check_content(kind, {**CONTENTS[kind], "extensions": extensions}).text)
    return content


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_numbers_stay_as_they_were_sent(kind: str) -> None:
    kept = _save(kind, json.loads(AS_SENT))["extensions"]
    assert json.dumps(kept, separators=(",", ":")) == AS_SENT


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        ({"../x": {}}, "name each tool"),
        ({f"tool{number}": {} for number in range(33)}, "at most 32 tools"),
        ({"x": _nested(17)}, "nest at most 16 deep"),
        ({"x": {"a": "\0"}}, "no NUL"),
        ({"x": {"a": ["\ud800"]}}, "surrogate"),
        ({"x": {"k" * 257: 1}}, "256 characters"),
        ({"x": {"a": float("inf")}}, "numbers"),
        ({"x": {"a": "b" * 65_536}}, "65536 characters"),
        ({"x": []}, ""),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(extensions: Any, words: str) -> None:
    with pytest.raises(Refused) as refused:
        _save("agent", extensions)
    [error] = refused.value.details["errors"]  # type: ignore[misc]
    assert error["pointer"].startswith("/extensions")
    assert words in error["message"]


def test_bounds_can_be_reached() -> None:
    extensions = {"x": _nested(16), "y": {"k" * 256: "\x1b[0m\r\n\t"}}
    assert _save("settings", extensions)["extensions"] == extensions


@pytest.mark.parametrize("kind", KINDS)
def test_no_draft_has_any(kind: str) -> None:
    assert "extensions" not in json_schema(kind)["properties"]


SECRET = "ghp_" + "k7Qm2Zx9Rb4W" * 3


@pytest.mark.parametrize(
    ("own", "pointer"),
    [
        ({"env": {"API_KEY": "k7Qm2Zx9RbWv8Jt3"}}, "/extensions/x/env/API_KEY"),
        ({"a/b": ["-", f"use {SECRET}"]}, "/extensions/x/a~1b/1"),
        ({"m": {SECRET: True}}, "/extensions/x/m"),
    ],
)
def test_secrets_in_them_are_found(own: Any, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        _save("agent", {"x": own})
    assert refused.value.code == "secret_found"
    [error] = refused.value.details["errors"]  # type: ignore[misc]
    assert error["pointer"] == pointer
