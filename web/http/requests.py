"""What a client sent: body, query and conditions, read without ever repeating it back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import ValidationError

from pigi.domain.preconditions import Tags, read_tags
from pigi.domain.resources.secrets.examples import DIGEST_LENGTH, MOST_EXAMPLES
from pigi.errors import Refused
from pigi.flaws import flaws_of, may_repeat, unknown
from web.http.paging import read_page
from web.http.replies import JSON
from web.http.schemas import RequestModel
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from web.http.paging import Place, Reader, Stretch

MOST_BYTES = 64 * 1024
"""Largest body, in bytes, unless its route says otherwise (413)."""

PAGE = 50
LARGEST_PAGE = 100

LIMIT: dict[str, Any] = {
    "description": f"a whole number from 1 to {LARGEST_PAGE}; {PAGE} if left out",
    "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
}
BEFORE_ID: dict[str, Any] = {
    "description": "the id of the last one of the page before",
    "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
}
AFTER_ID: dict[str, Any] = {
    "description": "the id of the first one of the page after, for the way back; before then says nothing",
    "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
}
BEFORE_NUMBER: dict[str, Any] = {
    "description": "the number of the last one of the page before",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
}
STATE: dict[str, Any] = {
    "description": "active or archived; active if left out",
    "schema": {"type": "string", "enum": ["active", "archived"], "default": "active"},
}

SORT: dict[str, Any] = {
    "description": "newest, name or changed: the order; newest if left out",
    "schema": {"type": "string", "enum": ["newest", "name", "changed"], "default": "newest"},
}

LISTED: dict[str, dict[str, Any]] = {
    "state": STATE,
    "sort": SORT,
    "limit": LIMIT,
    "before": BEFORE_ID,
    "after": AFTER_ID,
}
"""What lists of the configuration can be asked for."""

Body = TypeVar("Body", bound=RequestModel)
Item = TypeVar("Item")


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
        raise Refused("invalid", errors=flaws_of(error, model)) from None


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
    flaws = [_unknown(name, allowed) for name in request.args if name not in allowed]
    found = {}
    for name, parameter in allowed.items():
        values = request.args.getlist(name)
        if not values:
            continue
        if len(values) > 1:
            flaws.append({"parameter": name, "message": "must be there once"})
        elif not _fits(values[0], parameter["schema"]):
            flaws.append({"parameter": name, "message": f"must be {parameter['description']}"})
        found[name] = values[0]
    if flaws:
        raise Refused("invalid", errors=flaws)
    return found


def _unknown(name: str, allowed: Mapping[str, Any]) -> dict[str, str]:
    return {"parameter": name if may_repeat(name) else "?", "message": unknown("parameter", name, list(allowed))}


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


def limit_of(query: Mapping[str, str]) -> int:
    """How many the page may hold; ask for one more, which says whether there is another page."""
    return int(query.get("limit", PAGE))


def both_ways(query: Mapping[str, str], read: Reader[Item], place: Callable[[Item], Place]) -> Stretch[Item]:
    """The page that a query with ``before`` or ``after`` asks for."""
    after = query.get("after")
    return read_page(read, place, limit_of(query), query, (None if after else query.get("before"), after))


def moment_of(query: Mapping[str, str], name: str) -> datetime | None:
    """A parameter that is a moment (RFC 3339), in UTC if it says no zone; raises Refused ``invalid``."""
    if name not in query:
        return None
    try:
        # A leap second (RFC 3339, section 5.7), which Python does not know.
        found = datetime.fromisoformat(query[name].replace(":60", ":59"))
    except ValueError:
        message = "must be a day or a moment that exists, such as 2026-11-30T08:00:00Z"
        raise Refused("invalid", errors=[{"parameter": name, "message": message}]) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def page(
    query: Mapping[str, str], found: Sequence[Item], place: Callable[[Item], object]
) -> tuple[Sequence[Item], str | None]:
    """The page, and the path of the next one or None; ``place`` is what ``before`` takes of the last item."""
    limit = limit_of(query)
    shown = found[:limit]
    if len(found) <= limit:
        return shown, None
    return shown, f"{request.path}?{urlencode({**query, 'before': place(shown[-1])})}"


def expected() -> Tags | None:
    """What If-Match lists; None without it. The operation holds it against the row that it changes."""
    return read_tags(request.environ.get("HTTP_IF_MATCH"))


_EXAMPLE = rf"[A-Za-z0-9_-]{{{DIGEST_LENGTH}}}"
EXAMPLES_PATTERN = rf"^{_EXAMPLE}( *, *{_EXAMPLE}){{0,{MOST_EXAMPLES - 1}}}$"


def examples() -> frozenset[str]:
    """What Pigi-Examples lists; empty without it. Raises Refused ``invalid`` if it is no such list."""
    told = request.environ.get("HTTP_PIGI_EXAMPLES", "").strip()
    if told and not re.fullmatch(EXAMPLES_PATTERN, told):
        message = f"must list at most {MOST_EXAMPLES} names of examples, as refusals give them, with commas between"
        raise Refused("invalid", errors=[{"parameter": "Pigi-Examples", "message": message}])
    return frozenset(one.strip() for one in told.split(",") if one.strip())
