"""Which text of a resource is a value, an argument or prose, so that each is searched as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.resources.secrets.finding import Secret, find_in_arguments, find_in_text, find_in_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = Iterator[tuple[str, str, Secret]]


def secrets_of(content: Any, pointer: str = "") -> Found:
    """Each secret in plain JSON values: the JSON pointer of its text, the text, and where in it the secret is."""
    if isinstance(content, str):
        yield from _all(pointer, content, find_in_text(content, door=pointer.endswith("/url")))
    elif isinstance(content, list):
        for position, item in enumerate(content):
            yield from secrets_of(item, f"{pointer}/{position}")
    elif isinstance(content, dict):
        for key in content:
            known = find_in_text(key) if pointer.startswith(_OPEN) else ()
            if known:  # a pointer to what is in there would tell it
                yield from _all(pointer, key, known)
            else:
                yield from _of_field(content, key, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


_OPEN = "/extensions"
"""Below here, names are what somebody wrote."""


def _of_field(content: dict[str, Any], key: str, here: str) -> Found:
    item = content[key]
    if key == "value" and isinstance(item, str) and isinstance(content.get("name"), str):
        yield from _all(here, item, find_in_value(content["name"], item))
    elif key == "args" and isinstance(item, list) and all(isinstance(one, str) for one in item):
        for position, found in enumerate(find_in_arguments(item)):
            yield from _all(f"{here}/{position}", item[position], found)
    elif here.startswith(f"{_OPEN}/") and isinstance(item, str) and "\n" not in item:
        yield from _all(here, item, find_in_value(key, item))
    else:
        yield from secrets_of(item, here)


def _all(pointer: str, text: str, found: tuple[Secret, ...]) -> Found:
    for one in found:
        yield pointer, text, one
