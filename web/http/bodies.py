"""Reading what a client sent, without ever repeating it back."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from flask import request
from pydantic import ValidationError

from pigi.errors import Refused
from web.http.replies import JSON
from web.http.schemas import RequestModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request
    from pydantic_core import ErrorDetails

MOST_BYTES = 64 * 1024
"""Largest body, in bytes, unless its route says otherwise (413)."""

BODY_SECONDS = 10
"""How long a client may take to send a body, from its headers on: the largest then needs 26 KiB a second."""

Body = TypeVar("Body", bound=RequestModel)


class BodyReceiver:
    """Receives bodies at the pace of their clients, ``slots`` at once, each within `BODY_SECONDS`.

    The server's own reads block without a time limit and cannot be broken off, so each is done by a thread of
    this pool, and whoever wants the body stops waiting for it. The reading thread is free again once the server
    closes the connection, which it does since the refusal is never sent whole: `web.http.replies.Reply.cut_off`.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._threads = ThreadPoolExecutor(slots, "pigi-body")
        self._lock = threading.Lock()
        self._waiting: dict[threading.Event, None] = {}

    def receive(self, request: Request, most_bytes: int) -> None:
        """Wait until the request's body is here, for `read_bytes` to find.

        Raises:
            Refused: ``body_too_slow``; also when all slots are taken and this body has waited longest.
            RequestEntityTooLarge: it is, or says that it is, larger than ``most_bytes``.
        """
        request.max_content_length = most_bytes
        if request.environ.get("CONTENT_LENGTH", "0") == "0" and "HTTP_TRANSFER_ENCODING" not in request.environ:
            return
        wakes = threading.Event()
        with self._lock:
            if len(self._waiting) >= self._slots:
                longest = next(iter(self._waiting))
                del self._waiting[longest]
                longest.set()
            self._waiting[wakes] = None
        reading = self._threads.submit(request.get_data, cache=True, parse_form_data=False)
        reading.add_done_callback(lambda _: wakes.set())
        wakes.wait(BODY_SECONDS)
        with self._lock:
            self._waiting.pop(wakes, None)
        if not reading.done():
            reading.cancel()
            raise Refused("body_too_slow")
        reading.result()


def read_bytes() -> bytes:
    """The request's body as it came."""
    return request.get_data(cache=True, parse_form_data=False)


def read_body(model: type[Body]) -> Body:
    """The body as ``model``; an absent body counts as ``{}`` where the model needs nothing.

    Raises:
        Refused: ``media_type_unsupported``, ``malformed_body``, or ``invalid`` with a pointer and a
            message for each flaw.
    """
    data = read_bytes()
    if not data and not any(field.is_required() for field in model.model_fields.values()):
        return model()
    _check_type()
    try:
        return model.model_validate(_decode(data))
    except ValidationError as error:
        flaws = [
            _flaw(entry, model) for entry in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Refused("invalid", errors=flaws) from None


def read_json() -> Any:
    """The body as plain JSON values, for content that an operation checks itself.

    Raises Refused: ``media_type_unsupported``, ``malformed_body``.
    """
    _check_type()
    return _decode(read_bytes())


def _check_type() -> None:
    if request.environ.get("CONTENT_TYPE") != JSON and request.mimetype != JSON:
        raise Refused("media_type_unsupported")


def read_query(allowed: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The query's parameters, each at most once and in the form its schema asks for.

    Raises:
        Refused: ``invalid``; an unknown name is a flaw too, since a misspelt filter would show too much.
    """
    flaws = [{"parameter": "?", "message": "unknown parameter"} for name in request.args if name not in allowed]
    found = {}
    for name, parameter in allowed.items():
        values = request.args.getlist(name)
        if not values:
            continue
        if len(values) > 1 or not _fits(values[0], parameter["schema"]):
            flaws.append({"parameter": name, "message": f"must be {parameter['description']}, once"})
        found[name] = values[0]
    if flaws:
        raise Refused("invalid", errors=flaws)
    return found


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether a query's text is a value of a JSON schema; of its keywords, those that queries use."""
    if schema["type"] == "integer":
        return bool(re.fullmatch("[0-9]{1,9}", text)) and schema["minimum"] <= int(text) <= schema["maximum"]
    matches = re.fullmatch(schema.get("pattern", ".*").removesuffix("$"), text)
    return text in schema.get("enum", (text,)) and len(text) <= schema.get("maxLength", len(text)) and bool(matches)


def _decode(data: bytes) -> Any:
    """Strict JSON (RFC 8259): UTF-8, no repeated names, no NaN, no nesting beyond the parser's reach."""
    try:
        return _DECODE(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("malformed_body") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a name appears twice"
        raise ValueError(message)
    return found


def _no_constant(_name: str) -> None:
    message = "not a JSON number"
    raise ValueError(message)


_DECODE = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant).decode


def _flaw(entry: ErrorDetails, model: type[RequestModel]) -> dict[str, str]:
    """Where and what. An unknown field is reported on its parent: its name is the client's text."""
    place, message = entry["loc"], entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        place, message = place[:-1], f"unknown field; known are: {known}"
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return {"pointer": pointer, "message": message}
