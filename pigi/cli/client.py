"""A plain HTTP client with the standard library alone: what any caller of Pigi could write."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 30.0
"""Twice the longest silence of an event stream."""


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names in lower case; ``body`` is the JSON in it, or None."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class ServerEvent:
    """One server-sent event (WHATWG HTML, section 9.2)."""

    id: str
    name: str
    data: Any


class Client:
    """Calls the server at ``address`` with an API key. Every call may raise OSError or http.client.HTTPException."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._place = (parts.hostname or "", parts.port or 80)
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> Answer:
        """GET."""
        return self._call("GET", path, None, {})

    def post(self, path: str, body: Any, idempotency_key: str) -> Answer:
        """POST ``body`` as JSON, safe to repeat with the same key."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        return self._call("POST", path, json.dumps(body).encode(), headers)

    def follow(self, path: str) -> Iterator[ServerEvent]:
        """The events of a stream to its end, coming back where it was cut; the last one is called ``end``."""
        last = ""
        while True:
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
            with _Open(self._place, path, {**self._headers, **headers}) as response:
                if response.status != http.client.OK:
                    return
                for event in read_events(response):
                    last = event.id
                    yield event
                    if event.name == "end":
                        return

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(*self._place, timeout=SECONDS)
        try:
            connection.request(method, path, body, {**self._headers, **headers})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            return Answer(response.status, headers, json.loads(text))
        except ValueError:
            return Answer(response.status, headers, None)


class _Open:
    """A GET whose answer is read as it comes."""

    def __init__(self, place: tuple[str, int], path: str, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(*place, timeout=SECONDS)
        self._connection.request("GET", path, headers=headers)

    def __enter__(self) -> http.client.HTTPResponse:
        return self._connection.getresponse()

    def __exit__(self: Self, *_error: object) -> None:
        self._connection.close()


def read_events(lines: Any) -> Iterator[ServerEvent]:
    """The events in a stream of lines; comments and fields that are not used here are skipped."""
    fields: dict[str, str] = {}
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield ServerEvent(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
        fields = {}
