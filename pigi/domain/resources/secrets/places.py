"""Which text of a resource is a value, an argument or prose, so that each is searched as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pigi.domain.resources.secrets.finding import Secret, find_in_arguments, find_in_text, find_in_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = Iterator[tuple[str, str, Secret]]


_OPEN: Final = "/extensions/"
"""Below it stands what a tool knows and no schema: any name may be that of a variable, any list that of arguments."""


def secrets_of(content: Any, pointer: str = "") -> Found:
    """Each secret in plain JSON values: the JSON pointer of its text, the text, and where in it the secret is."""
    if isinstance(content, str):
        yield from _all(pointer, content, find_in_text(content, door=pointer.endswith("/url")))
    elif isinstance(content, list):
        if pointer.startswith(_OPEN) and all(isinstance(one, str) for one in content):
            yield from _of_arguments(content, pointer)
            return
        for position, item in enumerate(content):
            yield from secrets_of(item, f"{pointer}/{position}")
    elif isinstance(content, dict):
        for key in content:
            yield from _of_field(content, key, pointer)


def _of_field(content: dict[str, Any], key: str, pointer: str) -> Found:
    item, here = content[key], f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
    is_open = here.startswith(_OPEN)
    if is_open and (within := find_in_text(key)):
        # The pointer would show it.
        yield from _all(pointer, key, within)
    elif key == "value" and isinstance(item, str) and isinstance(content.get("name"), str):
        yield from _all(here, item, find_in_value(content["name"], item))
    elif is_open and isinstance(item, str):
        yield from _all(here, item, find_in_value(key, item))
    elif key == "args" and isinstance(item, list) and all(isinstance(one, str) for one in item):
        command = content.get("command")
        yield from _of_arguments(item, here, command if isinstance(command, str) else "")
    else:
        yield from secrets_of(item, here)


def _of_arguments(arguments: list[str], pointer: str, command: str = "") -> Found:
    for position, found in enumerate(find_in_arguments(arguments, command)):
        yield from _all(f"{pointer}/{position}", arguments[position], found)


def _all(pointer: str, text: str, found: tuple[Secret, ...]) -> Found:
    for one in found:
        yield pointer, text, one
