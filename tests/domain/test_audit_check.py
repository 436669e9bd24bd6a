"""The rules of the audit chain: whatever is done to it afterwards is found, and said by its name."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.audit import BEGINNING, EntryContent, commitment, encode, entry_hash
from pigi.domain.audit_check import (
    ANCHORED,
    BEGINS,
    CONCURRENCY,
    Anchor,
    BrokenError,
    Flaw,
    Link,
    Walk,
    diagnose,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def link(seq, previous, kind="session.signed_in", content=None):
    content = content or EntryContent(None, f"account:{seq}", None, "{}")
    salt = seq.to_bytes(32, "big")
    at, hidden = NOON + timedelta(minutes=seq), commitment(salt, content)
    return Link(seq, at, kind, previous, hidden, entry_hash(previous, seq, at, kind, hidden), salt, content)


def rehashed(link, **changes):
    """The entry as a careful forger leaves it: its hash is right again."""
    new = replace(link, **changes)
    return replace(new, entry_hash=entry_hash(new.previous, new.seq, new.at, new.kind, new.commitment))


def chain(length):
    found, previous = [], BEGINNING
    for seq in range(1, length + 1):
        found.append(link(seq, previous))
        previous = found[-1].entry_hash
    return found


def check(links, anchors=()):
    """What a check says of these entries: the flaw with the first place, or None."""
    links = sorted(links, key=lambda entry: entry.seq)
    walk = Walk({anchor.seq: anchor for anchor in anchors})
    try:
        walk.begin(links[0].seq if links else None)
        for entry in links:
            walk.step(entry)
        walk.end()
    except BrokenError as error:
        around = [entry for entry in links if abs(entry.seq - error.seq) <= CONCURRENCY]
        found = diagnose(error, around)
        return found.flaw, found.seq
    return None


def anchored(link, use=ANCHORED):
    return Anchor(link.seq, link.entry_hash, use)


def test_a_sound_chain_is_sound_with_and_without_contents_and_anchors():
    links = chain(9)
    assert check([]) is None
    assert check(links) is None
    erased = [replace(entry, salt=None, content=None) for entry in links]
    assert check(erased, [anchored(links[3]), anchored(links[8])]) is None


def test_a_pruned_chain_begins_at_its_signed_beginning():
    links = chain(9)
    assert check(links[4:], [anchored(links[3], BEGINS), anchored(links[6])]) is None
    assert check([], [anchored(links[8], BEGINS)]) is None


@pytest.mark.parametrize("place", [1, 5, 9])
@pytest.mark.parametrize(
    "change", [{"kind": "session.signed_out"}, {"at": NOON}, {"at": None}, {"commitment": "f" * 64}]
)
def test_an_altered_entry_is_found(place, change):
    links = chain(9)
    links[place - 1] = replace(links[place - 1], **change)
    assert check(links) == (Flaw.ALTERED, place)


@pytest.mark.parametrize("place", [1, 5, 8])
def test_an_altered_entry_whose_hash_was_made_right_is_found(place):
    links = chain(9)
    links[place - 1] = rehashed(links[place - 1], kind="session.signed_out")
    assert check(links) == (Flaw.ALTERED, place)


def test_a_chain_that_was_rewritten_to_its_end_is_found_by_its_anchor():
    links = chain(9)
    anchors = [anchored(links[2]), anchored(links[8])]
    previous = links[3].entry_hash
    for place in range(4, 9):
        links[place] = rehashed(links[place], kind="session.signed_out", previous=previous)
        previous = links[place].entry_hash
    assert check(links) is None
    assert check(links, anchors) == (Flaw.ALTERED, 4)


@pytest.mark.parametrize("place", [1, 5, 8])
def test_a_removed_entry_is_found(place):
    links = chain(9)
    del links[place - 1]
    assert check(links) == (Flaw.REMOVED, place)


@pytest.mark.parametrize("place", [1, 5, 8])
def test_a_removed_entry_is_found_when_the_others_close_the_gap(place):
    links = chain(9)
    closed = links[: place - 1] + [replace(entry, seq=entry.seq - 1) for entry in links[place:]]
    assert check(closed) == (Flaw.REMOVED, place)


def test_the_oldest_entries_cannot_be_passed_off_as_pruned():
    links = chain(9)
    assert check(links[4:], [anchored(links[3])]) == (Flaw.REMOVED, 1)
    assert check(links[5:], [anchored(links[3], BEGINS)]) == (Flaw.REMOVED, 1)
    assert check([], [anchored(links[8])]) == (Flaw.REMOVED, 1)


@pytest.mark.parametrize("sound", [True, False])
@pytest.mark.parametrize("place", [1, 5, 9])
def test_an_inserted_entry_is_found(place, sound):
    links = chain(9)
    forged = link(place, links[place - 1].previous if sound else "f" * 64, "session.signed_out")
    forged = forged if sound else replace(forged, entry_hash="0" * 64)
    moved = [replace(entry, seq=entry.seq + 1) for entry in links[place - 1 :]]
    assert check([*links[: place - 1], forged, *moved]) == (Flaw.INSERTED, place)


def test_a_repeated_entry_is_found():
    links = chain(9)
    repeated = replace(links[2], seq=6)
    moved = [replace(entry, seq=entry.seq + 1) for entry in links[5:]]
    assert check([*links[:5], repeated, *moved]) == (Flaw.INSERTED, 6)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (4, 8), (8, 9)])
def test_entries_that_changed_places_are_found(one, other):
    links = chain(9)
    links[one - 1], links[other - 1] = replace(links[one - 1], seq=other), replace(links[other - 1], seq=one)
    assert check(links) == (Flaw.REORDERED, one)


def test_what_is_missing_at_the_end_is_found_by_its_anchor():
    links = chain(9)
    assert check(links[:6], [anchored(links[6])]) == (Flaw.TRUNCATED, 7)


@pytest.mark.parametrize("change", [{"actor": "account:x"}, {"subject": ""}, {"details": "{} "}])
def test_altered_content_is_found(change):
    links = chain(9)
    links[4] = replace(links[4], content=replace(links[4].content, **change))
    assert check(links) == (Flaw.CONTENT_ALTERED, 5)


def test_an_anchor_that_nobody_signed_is_found():
    links = chain(9)
    assert check(links, [anchored(links[4], None)]) == (Flaw.ANCHOR_ALTERED, 5)


@given(st.lists(st.none() | st.text(max_size=3), max_size=4), st.lists(st.none() | st.text(max_size=3), max_size=4))
def test_no_two_lists_of_parts_are_encoded_the_same(one, other):
    assert (encode(*one) == encode(*other)) == (one == other)


@given(st.integers(3, 30), st.data())
def test_whatever_is_removed_or_moved_within_an_anchored_chain_is_found(length, data):
    links = chain(length)
    anchors = [anchored(links[-1])]
    order = data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=length))
    changed = [replace(links[place], seq=seq) for seq, place in enumerate(order, start=1)]
    assert (check(changed, anchors) is None) == (changed == links)


@given(st.integers(2, 20), st.randoms(use_true_random=False), st.data())
def test_a_forger_who_rehashes_everything_is_found_up_to_the_last_anchor(length, chance: random.Random, data):
    links = chain(length)
    place = data.draw(st.integers(0, length - 1))
    anchors = [anchored(links[seq]) for seq in range(length) if seq == length - 1 or chance.random() < 0.3]
    links[place] = rehashed(links[place], kind="session.signed_out")
    for later in range(place + 1, length):
        links[later] = rehashed(links[later], previous=links[later - 1].entry_hash)
    flaw, seq = check(links, anchors)
    assert flaw == Flaw.ALTERED
    assert seq <= place + 1
