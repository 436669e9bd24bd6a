"""What is wrong with values that break a schema, in Pigi's own words: the way from the validator's errors to people.

A flaw is a JSON pointer (RFC 6901) and a sentence that follows it, such as ``must be an object``. It repeats nothing of
what was sent but the names of fields that nobody knows, since whoever misspelt one must find it.
"""

from __future__ import annotations

import re
import types
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MOST: Final = 50
"""Flaws that are listed; whoever sends more has sent something else altogether."""
LONGEST_NAME: Final = 64
"""Characters of an unknown field's name that is repeated; of a longer one the place alone is told."""
LONGEST_POINTER: Final = 100
"""Characters of a pointer: what is deeper is told by what it is in."""
_LONGEST_WORD: Final = 24
_DRAWN: Final = re.compile(r"(?=\S*[0-9])(?=\S*[a-z])(?=\S*[A-Z])\S{12,}")
"""Digits, small and capital letters in one word: no name, but what keys and tokens look like."""
OTHER: Final = "does not have the right form"

_RULES: dict[str, str] = {}


def pattern(expression: str, words: str) -> str:
    """``expression``, a field's regular expression, which people are told as ``words``: "must be …"."""
    _RULES[expression] = words
    return expression


def _bound(text: str, name: str, one: str = "", many: str = "") -> Callable[[dict[str, Any]], str]:
    def sentence(context: dict[str, Any]) -> str:
        bound = context[name]
        number = f"{bound:,}" if isinstance(bound, int) else str(bound)
        return f"{text} {number}{one if bound == 1 else many}"

    return sentence


def _length(text: str, name: str) -> Callable[[dict[str, Any]], str]:
    """Of what is counted after other rules: the validator then no longer knows a text, and calls it a value."""
    lists, texts = _bound(text, name, " entry", " entries"), _bound(text, name, " character", " characters")
    return lambda context: (texts if context.get("field_type") == "Value" else lists)(context)


_SENTENCES: Final[dict[str, str | Callable[[dict[str, Any]], str]]] = {
    "missing": "is required",
    "none_required": "must be null, or left out",
    "string_type": "must be a text",
    "string_unicode": "must be a text that UTF-8 can write: half a surrogate pair is none",
    "string_too_short": _bound("must have at least", "min_length", " character", " characters"),
    "string_too_long": _bound("must have at most", "max_length", " character", " characters"),
    "string_pattern_mismatch": lambda context: _RULES.get(str(context["pattern"]), OTHER),
    "too_short": _length("must have at least", "min_length"),
    "too_long": _length("must have at most", "max_length"),
    "greater_than": _bound("must be more than", "gt"),
    "greater_than_equal": _bound("must be at least", "ge"),
    "less_than": _bound("must be less than", "lt"),
    "less_than_equal": _bound("must be at most", "le"),
    "multiple_of": _bound("must be a multiple of", "multiple_of"),
    "finite_number": "must be a finite number",
    "literal_error": lambda context: f"must be {_one_of(context['expected'])}",
    "enum": lambda context: f"must be {_one_of(context['expected'])}",
    "union_tag_not_found": lambda context: f"must say its {context['discriminator'].strip(chr(39))}",
    "union_tag_invalid": lambda context: (
        f"must have as its {context['discriminator'].strip(chr(39))} {_one_of(context['expected_tags'])}"
    ),
    "value_error": lambda context: str(context["error"]),
    "assertion_error": OTHER,
    "date_type": "must be a date such as 2026-03-01",
    "datetime_type": "must be a moment with its offset, such as 2026-03-01T10:00:00Z",
}
"""By the validator's type of error; what is not listed goes by its beginning, in `_TYPES`."""

_TYPES: Final = (
    (("model_", "dataclass_", "dict_", "mapping_", "frozen_dict_"), "must be an object"),
    (("list_", "tuple_", "set_", "frozen_set_", "iterable_"), "must be a list"),
    (("int_",), "must be a whole number"),
    (("float_", "decimal_"), "must be a number"),
    (("bool_",), "must be true or false"),
    (("date_",), "must be a date such as 2026-03-01"),
    (("datetime_", "timezone_"), "must be a moment with its offset, such as 2026-03-01T10:00:00Z"),
    (("uuid_",), "must be an id, such as 0193a2b4-7c1e-7d3f-9a55-0c2f6e8b1d47"),
    (("url_",), "must be a URL"),
    (("invalid_key", "string_"), "must be a text"),
)


def sentence(entry: ErrorDetails) -> str:
    """What one of the validator's errors says, in words that follow the field's name."""
    kind, context = entry["type"], entry.get("ctx", {})
    found = _SENTENCES.get(kind) or next((words for starts, words in _TYPES if kind.startswith(starts)), OTHER)
    return found if isinstance(found, str) else found(context)


def may_repeat(name: str) -> bool:
    """Whether a name that somebody sent is said back to them: short, seen, and not what a secret looks like."""
    words = re.split(r"[\W_]+", name)
    drawn = any(len(word) > _LONGEST_WORD or _DRAWN.fullmatch(word) for word in words)
    return name.isprintable() and len(name) <= LONGEST_NAME and not drawn


def bounded(pointer: str) -> str:
    """A pointer as far as all names in it may be repeated: beyond, it is told what they are in."""
    kept = ""
    for part in pointer.split("/")[1:]:
        if len(kept) + len(part) >= LONGEST_POINTER or not may_repeat(part.replace("~1", "/").replace("~0", "~")):
            break
        kept += f"/{part}"
    return kept


def _one_of(expected: str) -> str:
    """From ``'a', 'b' or 'c'``, as the validator lists them: ``one of: a, b, c``."""
    names = [name.strip().strip("'") for part in expected.split(" or ") for name in part.split(", ")]
    return names[0] if len(names) == 1 else f"one of: {', '.join(names)}"


def flaws_of(error: ValidationError, model: type[BaseModel]) -> list[dict[str, str]]:
    """A pointer and a message for each flaw of a ``model``, in the order of its fields."""
    # The context says which bounds and values are known; what was sent is in the input, which is left out.
    entries = error.errors(include_url=False, include_input=False, include_context=True)
    found: dict[str, list[ErrorDetails]] = {}
    known: dict[str, list[str]] = {}
    for entry in entries:
        place, here = _place(model, entry["loc"])
        pointer = _pointer(place)
        found.setdefault(pointer, []).append(entry)
        if entry["type"] == "extra_forbidden":
            known[pointer] = _fields(here)
    flaws = [_flaw(pointer, some, known.get(pointer)) for pointer, some in found.items()]
    return flaws[:MOST]


def _flaw(pointer: str, entries: list[ErrorDetails], known: list[str] | None) -> dict[str, str]:
    """One place's flaw. A field of several forms has one error of each; the form that was nearly met has the say."""
    if known is not None:
        parent, _, last = pointer.rpartition("/")
        name = last.replace("~1", "/").replace("~0", "~")
        return {"pointer": pointer if may_repeat(name) else parent, "message": unknown("field", name, known)}
    near = [entry for entry in entries if not entry["type"].endswith("_type")] or entries
    first, *others = dict.fromkeys(sentence(entry) for entry in near)
    return {"pointer": pointer, "message": ", or ".join([first, *(one.removeprefix("must be ") for one in others)])}


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """That ``name`` is no known ``what``; with the one that was probably meant, and all that there are."""
    meant = get_close_matches(name, known, n=1, cutoff=0.7)
    guess = f"; is {meant[0]} meant? Known" if meant else "; known"
    return f"unknown {what}{guess} are: {', '.join(known)}." if known else f"unknown {what}: none is taken here"


def _pointer(place: list[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def _place(model: type[BaseModel], steps: tuple[int | str, ...]) -> tuple[list[Any], Any]:
    """The steps that are fields, positions and keys, and the form of what the last one is in.

    The validator's path also names the variants of unions, of which no document knows.
    """
    place: list[Any] = []
    here: Any = model
    around: Any = model
    for step in steps:
        form = _bare(here)
        if _is_union(form):
            here = _variant(form, str(step))
            continue
        if step == "[key]":  # the flaw is in the name that came before
            continue
        place.append(step)
        around, here = form, _inner(form, step)
    return place, around


def _bare(form: Any) -> Any:
    """A form without what annotates it, and without None, which the validator's path does not name."""
    while get_origin(form) is Annotated:
        form = get_args(form)[0]
    if _is_union(form):
        some = [one for one in get_args(form) if one is not types.NoneType]
        return _bare(some[0]) if len(some) == 1 else Union[tuple(some)]  # noqa: UP007 - of what is known at run time
    return form


def _is_union(form: Any) -> bool:
    return get_origin(form) in (Union, types.UnionType)


def _inner(form: Any, step: int | str) -> Any:
    if _is_model(form):
        field = next((one for name, one in form.model_fields.items() if step in (name, one.alias)), None)
        return None if field is None else field.annotation
    arguments = get_args(form)
    return arguments[-1] if arguments and arguments[-1] is not ... else next(iter(arguments), None)


def _variant(union: Any, tag: str) -> Any:
    """The form of a union that the validator's path calls ``tag``: by a constant of its own, its name or its sort."""
    forms = [_bare(one) for one in get_args(union)]
    for form in forms:
        if _is_model(form) and (
            tag == form.__name__ or any(tag in _constants(one) for one in form.model_fields.values())
        ):
            return form
    return next((form for form in forms if f"{getattr(get_origin(form), '__name__', '?')}[" in tag), None)


def _constants(field: Any) -> tuple[Any, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _is_model(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, BaseModel)


def _fields(form: Any) -> list[str]:
    return [field.alias or name for name, field in form.model_fields.items()] if _is_model(form) else []
