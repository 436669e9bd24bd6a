"""Requests to the API, their parameters, and the errors that refuse them, in Stripe's own form.

Source: Stripe's API reference, "Errors", "Error codes" and "Metadata", and the parameter types of the official SDK.
An error's message names parameters and ids, as Stripe's do, and never what else was sent.

The parameters that an endpoint takes are a table, held to strictly. It is text, a word a parameter:
``line_items.#.price`` is ``line_items[0][price]``, ``metadata.*`` any key; after a colon comes its kind (text without
one, ``int``, ``bool``, ``email``, ``url``, ``range``, or its permitted values); ``!`` marks what must be given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID: Final = "invalid_request_error"
IDEMPOTENCY: Final = "idempotency_error"
Parameters = dict[str, Any]

_RANGE: Final = ("", ".gt", ".gte", ".lt", ".lte")
_KEYS, _KEY, _VALUE = 50, 40, 500  # API reference, "Metadata"
_INT: Final = re.compile(r"-?[0-9]{1,18}")
# Nothing that could end a header or a policy in which it is named.
_URL: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][!-~]*)?")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class RequestError(Exception):
    """The request is refused with ``status``; ``error`` is what the answer's ``error`` holds."""

    def __init__(self, status: int, message: str, error_type: str = INVALID, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": error_type, "message": message, **{k: v for k, v in more.items() if v is not None}}
        self.headers: Mapping[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"error": self.error}


def invalid(message: str, code: str | None = None, param: str | None = None) -> RequestError:
    """A 400 for an invalid request."""
    return RequestError(400, message, code=code, param=param)


def no_such(kind: str, name: object, param: str = "id", status: int = 404) -> RequestError:
    """An object that is not there: 404 when it is what the path names, 400 when a parameter does."""
    word = kind.rpartition(".")[2].replace("_", " ")
    return RequestError(status, f"No such {word}: '{name}'", code="resource_missing", param=param)


@dataclass(frozen=True, repr=False)
class Request:
    """A request as it came: header names in lower case, and the body's bytes."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def encoded(self) -> str:
        """Its parameters in form encoding, from the query or the body."""
        return self.body.decode() if self.method == "POST" else self.query

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Its parameters by name, as they were sent: ``line_items[0][price]``."""
        return dict(parse_qsl(self.encoded, keep_blank_values=True))


@dataclass
class Table:
    """What an endpoint takes: kinds by pattern, and the patterns that are needed."""

    kinds: dict[str, str] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Table:
        """Read a table's words."""
        table = cls()
        for word in text.split():
            pattern, _, kind = word.rstrip("!").partition(":")
            if word.endswith("!"):
                table.required.append(pattern)
            if kind == "range":
                table.kinds |= dict.fromkeys([pattern + end for end in _RANGE], "int")
            else:
                table.kinds[pattern] = kind or "text"
        return table

    def holds(self, pattern: str) -> bool:
        """Whether ``pattern`` is a parameter or the beginning of one."""
        return any(known == pattern or known.startswith(f"{pattern}.") for known in self.kinds)


def read(encoded: str, table: Table) -> Parameters:
    """The parameters of a query or a form's body; a `RequestError` for what ``table`` doesn't have."""
    pairs = parse_qsl(encoded, keep_blank_values=True)
    unknown = [name for name, value in pairs if _kind(table, _pattern(table, name), value) is None]
    if unknown:
        word = "parameter" if len(unknown) == 1 else "parameters"
        raise invalid(f"Received unknown {word}: {', '.join(unknown)}", "parameter_unknown", unknown[0])
    found: Parameters = {}
    for name, value in pairs:
        kind = _kind(table, _pattern(table, name), value) or "text"
        _put(found, _path(name), _convert(name, value, kind))
    told = _listed(found)
    for pattern in table.required:
        _need(told, pattern)
    _check_metadata(told)
    return dict(told)


def _path(name: str) -> list[str]:
    return re.split(r"\]\[|\[|\]$", name)[: name.count("[") + 1]


def _pattern(table: Table, name: str) -> str:
    path = ["#" if part.isdecimal() or not part else part for part in _path(name)]
    pattern = ".".join(path)
    parent = ".".join(path[:-1])
    return f"{parent}.*" if pattern not in table.kinds and f"{parent}.*" in table.kinds else pattern


def _kind(table: Table, pattern: str, value: str) -> str | None:
    if not value and table.holds(pattern):
        return table.kinds.get(pattern, "unset")
    return table.kinds.get(pattern)


def _convert(name: str, value: str, kind: str) -> Any:  # noqa: PLR0911 - a kind a line
    if not value:
        return _empty(name, kind)
    match kind:
        case "int" if _INT.fullmatch(value):
            return int(value)
        case "bool" if value in {"true", "false"}:
            return value == "true"
        case "email" if _EMAIL.fullmatch(value) and len(value) <= 512:  # noqa: PLR2004 - Stripe's limit
            return value
        case "url" if _URL.fullmatch(value):
            return value
        case "text":
            return value
        case _ if "|" in kind and value in kind.split("|"):
            return value
    raise _unfit(name, kind)


def _empty(name: str, kind: str) -> None:
    if kind in {"int", "bool", "url"} or ("|" in kind and not kind.endswith("|")):
        raise invalid(f"You passed an empty string for '{name}'.", "parameter_invalid_empty", name)


def _unfit(name: str, kind: str) -> RequestError:
    match kind:
        case "int":
            return invalid(f"Invalid integer: {name}", "parameter_invalid_integer", name)
        case "bool":
            return invalid(f"Invalid boolean: {name}", None, name)
        case "email":
            return invalid("Invalid email address", "email_invalid", name)
        case "url":
            return invalid("Not a valid URL", "url_invalid", name)
    return invalid(f"Invalid {name}: must be one of {', '.join(filter(None, kind.split('|')))}", None, name)


def _put(found: Parameters, path: list[str], value: Any) -> None:
    place = found
    for part in path[:-1]:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise invalid("Invalid object", None, path[0])
        place = inner
    place[path[-1] or str(len(place))] = value


def _listed(value: Any) -> Any:
    """The same with lists where all keys are numbers; a key of metadata is nested too deep to be mistaken for one."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: inner if key == "metadata" else _listed(inner) for key, inner in value.items()}


def _need(told: Any, pattern: str) -> None:
    place = told
    for part in pattern.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    if place in (None, ""):
        name = re.sub(r"\.(\w+)", r"[\1]", pattern)
        raise invalid(f"Missing required param: {name}.", "parameter_missing", name)


def _check_metadata(value: Any, place: str = "") -> None:
    """Hold all metadata to the limits, however deep it is; ``place`` is the name of ``value``."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in named:
        name = f"{place}[{key}]" if place else str(key)
        if key == "metadata":
            _limit_metadata(inner or {}, name)
        else:
            _check_metadata(inner, name)


def _limit_metadata(metadata: Parameters, name: str) -> None:
    if len(metadata) > _KEYS:
        raise invalid(f"Metadata can have at most {_KEYS} keys.", None, name)
    if any(len(key) > _KEY or len(value or "") > _VALUE for key, value in metadata.items()):
        raise invalid(f"Metadata takes keys up to {_KEY} and values up to {_VALUE} long.", None, name)
