"""Sealed values open in their own place only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.store.sealing import SealBrokenError, Sealer, bind, key_version

ORGANISATION = "0190f0f0-0000-7000-8000-000000000000"
PLACE = ("generation", "draft", "row")
KEYS = {1: b"1" * 32, 2: b"2" * 32}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def sealer(organisation_id: str = ORGANISATION, current: int = 2) -> Sealer:
    return Sealer(organisation_id, KEYS, current)


@given(TEXT, TEXT, TEXT, TEXT)
def test_what_was_sealed_opens(text: str, table: str, column: str, row: str) -> None:
    sealed = sealer().seal(text, table, column, row)
    assert sealer(current=1).open(sealed, table, column, row) == text
    assert len(sealed) == 3 + 12 + len(text.encode()) + 16
    assert key_version(sealed) == 2


@given(TEXT, st.tuples(TEXT, TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT, TEXT))
def test_another_place_does_not_open_it(text: str, sealed_for: tuple[str, ...], opened_for: tuple[str, ...]) -> None:
    sealed = sealer(sealed_for[0]).seal(text, *sealed_for[1:])
    if sealed_for == opened_for:
        return
    with pytest.raises(SealBrokenError):
        sealer(opened_for[0]).open(sealed, *opened_for[1:])


@pytest.mark.parametrize("part", range(4))
def test_changing_one_part_of_the_place_is_enough(part: int) -> None:
    sealed = sealer().seal("text", *PLACE)
    other = [ORGANISATION, *PLACE]
    other[part] += "x"
    with pytest.raises(SealBrokenError):
        sealer(other[0]).open(sealed, *other[1:])


def test_parts_cannot_flow_into_each_other() -> None:
    assert bind("a", "bc") != bind("ab", "c")
    assert bind("a") != bind("a", "")


def test_every_changed_or_missing_byte_is_noticed() -> None:
    sealed = sealer().seal("text", *PLACE)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        for wrong in (bytes(altered), sealed[:place], sealed + b"x"):
            with pytest.raises(SealBrokenError):
                sealer().open(wrong, *PLACE)


def test_the_same_text_never_looks_the_same() -> None:
    assert len({sealer().seal("text", *PLACE) for _ in range(100)}) == 100


def test_an_unknown_version_asks_for_the_newest_keys_once() -> None:
    asked: list[int] = []

    def reload() -> dict[int, bytes]:
        asked.append(1)
        return KEYS

    held = Sealer(ORGANISATION, {1: KEYS[1]}, 1, reload)
    assert held.open(sealer().seal("text", *PLACE), *PLACE) == "text"
    assert held.open(sealer().seal("text", *PLACE), *PLACE) == "text"
    assert asked == [1]
    with pytest.raises(SealBrokenError):
        Sealer(ORGANISATION, {1: KEYS[1]}, 1).open(sealer().seal("text", *PLACE), *PLACE)


def test_neither_error_nor_repr_shows_anything() -> None:
    with pytest.raises(SealBrokenError) as broken:
        sealer("other").open(sealer().seal("text", *PLACE), *PLACE)
    assert str(broken.value) == "seal_broken"
    assert broken.value.__suppress_context__
    assert "111" not in repr(sealer())


@pytest.mark.parametrize(
    ("keys", "current"), [({}, 1), ({1: b"short"}, 1), ({0: b"1" * 32}, 0), ({70_000: b"1" * 32}, 70_000)]
)
def test_keys_that_cannot_be_are_refused(keys: dict[int, bytes], current: int) -> None:
    with pytest.raises(ValueError, match="key"):
        Sealer(ORGANISATION, keys, current)
