"""Proving the audit chain in a real database: what is planted by SQL is found, and what Pigi does itself is sound."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text

from pigi.application import Application
from pigi.clock import now
from pigi.domain.audit_check import Flaw
from pigi.errors import Permanent
from pigi.ids import new_id
from pigi.operations.audit import CONTENT, SignedHead, erase_content, list_entries, prune, record, signed_head, verify
from pigi.operations.audit import verification as audit_chain
from pigi.operations.audit.chain import ANCHOR, ENTRY
from pigi.operations.audit.verification import KEPT, NOT_SIGNED, TOO_OLD, renew
from pigi.store.keyring import Keyring
from pigi.store.signing import is_signed
from tests.support.audits import anchor
from tests.support.chance import many

DAY = timedelta(days=1)
PEOPLE = [new_id() for _ in range(3)]
PLACES = [new_id() for _ in range(3)]


@pytest.fixture
def application(settings):
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def act(application, times=1, who=0, where=0):
    for _ in range(times):
        with application.control.begin() as session:
            record(session, application, "member.joined", f"account:{PEOPLE[who]}", PLACES[where], role="admin")


def sql(application, statement, **parameters):
    with application.control.transaction() as connection:
        statement = text(statement) if isinstance(statement, str) else statement
        connection.execute(statement, parameters)


def erase(application, **whose):
    with application.control.begin() as session:
        return erase_content(session, application, **whose)


def found(application):
    verdict = verify(application)
    return verdict.flaw, verdict.seq


def test_a_chain_that_nobody_touched_verifies(application):
    assert verify(application).ok
    act(application, 5)
    anchor(application)
    act(application, 2)
    verdict = verify(application)
    assert (verdict.ok, verdict.entries, verdict.erased, verdict.anchors, verdict.last) == (True, 7, 0, 1, 7)


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_it_is_read_in_batches(application, monkeypatch, batch):
    monkeypatch.setattr(audit_chain, "BATCH", batch)
    act(application, 7)
    seen = []
    assert verify(application, on_batch=seen.append).entries == 7
    assert seen == sorted({min(seq, 7) for seq in range(batch, 7 + batch, batch)})


ALTERATIONS = {
    "kind": "UPDATE audit_entry SET kind = 'member.removed' WHERE seq = 4",
    "commitment": "UPDATE audit_entry SET commitment = entry_hash WHERE seq = 4",
    "hash": "UPDATE audit_entry SET entry_hash = previous WHERE seq = 4",
    "previous": "UPDATE audit_entry SET previous = entry_hash WHERE seq = 4",
    "moment": "UPDATE audit_entry SET at = (SELECT at FROM audit_entry WHERE seq = 1) WHERE seq = 4",
}


@pytest.mark.parametrize("what", list(ALTERATIONS))
def test_an_altered_entry_is_found(application, what):
    act(application, 6)
    sql(application, ALTERATIONS[what])
    assert found(application) == (Flaw.ALTERED, 4)


def test_a_removed_entry_is_found(application):
    act(application, 6)
    sql(application, "DELETE FROM audit_entry WHERE seq = 4")
    assert found(application) == (Flaw.REMOVED, 4)


def test_a_removed_entry_is_found_when_the_others_close_the_gap(application):
    act(application, 6)
    for table in ("audit_entry", "audit_content"):
        sql(application, f"DELETE FROM {table} WHERE seq = 4")
        for seq in (5, 6):
            sql(application, f"UPDATE {table} SET seq = {seq - 1} WHERE seq = {seq}")
    assert found(application) == (Flaw.REMOVED, 4)


def test_an_inserted_entry_is_found(application):
    act(application, 6)
    for seq in (6, 5, 4):
        sql(application, f"UPDATE audit_entry SET seq = {seq + 1} WHERE seq = {seq}")
    columns = "at, kind, previous, commitment, entry_hash"
    sql(application, f"INSERT INTO audit_entry (seq, {columns}) SELECT 4, {columns} FROM audit_entry WHERE seq = 2")
    assert found(application) == (Flaw.INSERTED, 4)


def test_reordered_entries_are_found(application):
    act(application, 6)
    for old, new in ((3, 99), (5, 3), (99, 5)):
        sql(application, f"UPDATE audit_entry SET seq = {new} WHERE seq = {old}")
    assert found(application) == (Flaw.REORDERED, 3)


def test_an_end_that_was_cut_off_is_found(application):
    act(application, 6)
    anchor(application)
    for table in ("audit_entry", "audit_content"):
        sql(application, f"DELETE FROM {table} WHERE seq > 4")
    assert found(application) == (Flaw.TRUNCATED, 5)


def test_a_cut_that_forgets_the_contents_is_found_without_an_anchor(application):
    act(application, 6)
    sql(application, "DELETE FROM audit_entry WHERE seq > 4")
    assert found(application) == (Flaw.TRUNCATED, 5)


@pytest.mark.parametrize(
    "change", ["actor = 'operator:cli'", "subject = 'x'", "organisation_id = NULL", "details = '{}'", "salt = :salt"]
)
def test_altered_content_is_found(application, change):
    act(application, 6)
    sql(
        application, f"UPDATE audit_content SET {change} WHERE seq = 4", **({"salt": b"x"} if ":salt" in change else {})
    )
    assert found(application) == (Flaw.CONTENT_ALTERED, 4)


def test_content_that_was_erased_in_secret_is_found(application):
    act(application, 6)
    sql(application, "DELETE FROM audit_content WHERE seq = 4")
    assert found(application) == (Flaw.CONTENT_REMOVED, 4)


def test_an_altered_anchor_is_found(application):
    act(application, 6)
    anchor(application)
    sql(application, "UPDATE audit_anchor SET entry_hash = (SELECT previous FROM audit_entry WHERE seq = 6)")
    assert found(application) == (Flaw.ANCHOR_ALTERED, 6)


def test_the_oldest_entries_cannot_be_cut_off_at_an_anchor(application):
    act(application, 3)
    anchor(application)
    act(application, 3)
    for table in ("audit_entry", "audit_content"):
        sql(application, f"DELETE FROM {table} WHERE seq <= 3")
    assert found(application) == (Flaw.REMOVED, 1)


def test_a_broken_chain_is_neither_anchored_nor_pruned(application):
    act(application, 4)
    sql(application, "UPDATE audit_entry SET kind = 'member.removed' WHERE seq = 2")
    with pytest.raises(Permanent, match="audit_broken"):
        anchor(application)
    with pytest.raises(Permanent, match="audit_broken"):
        prune(application, now() + DAY, 100)
    with application.control.autocommit() as connection:
        assert connection.execute(select(func.count()).select_from(ANCHOR)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(ENTRY)).scalar() == 4


def test_a_head_kept_elsewhere_must_still_be_in_the_chain(application):
    act(application, 3)
    saved = SignedHead.from_json(signed_head(application).to_json())
    act(application, 3)
    assert (verify(application, saved).ok, verify(application, saved).saved) == (True, KEPT)

    later = signed_head(application)
    for table in ("audit_entry", "audit_content"):
        sql(application, f"DELETE FROM {table} WHERE seq = 6")
    assert verify(application).ok
    assert (verify(application, later).flaw, verify(application, later).seq) == (Flaw.TRUNCATED, 6)
    act(application)
    verdict = verify(application, later)
    assert (verdict.flaw, verdict.seq, verdict.until) == (Flaw.ALTERED, 1, 6)


def test_a_head_that_nobody_signed_proves_nothing(application):
    act(application, 3)
    saved = signed_head(application)
    for forged in (
        replace(saved, seq=2),
        replace(saved, at=now()),
        replace(saved, signature="AA=="),
    ):
        verdict = verify(application, forged)
        assert (verdict.ok, verdict.saved) == (False, NOT_SIGNED)


@pytest.mark.parametrize("garbage", ["", "[]", "{}", '{"seq": "x"}', '{"seq": 1, "at": 5}', "\0"])
def test_what_is_no_head_is_refused(garbage):
    with pytest.raises(ValueError):
        SignedHead.from_json(garbage)


def test_erasing_a_person_keeps_the_chain_and_loses_what_they_did(application):
    act(application, 2, who=0)
    act(application, 2, who=1)
    with application.control.begin() as session:
        subject = f"account:{PEOPLE[0]}"
        record(session, application, "member.removed", f"account:{PEOPLE[1]}", PLACES[0], subject, role="member")
    assert erase(application, account_id=PEOPLE[0]) == 3
    verdict = verify(application)
    assert (verdict.ok, verdict.erased, verdict.entries) == (True, 3, 6)
    assert PEOPLE[0] not in repr(list_entries(application, None))
    assert [view.actor for view in list_entries(application, None)][-2:] == [None, None]


def test_erasing_an_organisation_leaves_others_alone(application):
    act(application, 2, where=0)
    act(application, 2, where=1)
    with application.control.begin() as session:
        record(session, application, "organisation.created", "operator:cli", None, f"organisation:{PLACES[0]}")
    assert erase(application, organisation_id=PLACES[0]) == 3
    assert list_entries(application, PLACES[0]) == []
    assert len(list_entries(application, PLACES[1])) == 2
    assert verify(application).ok


def test_erasing_nothing_leaves_no_trace(application):
    act(application)
    assert erase(application, account_id=PEOPLE[2]) == 0
    assert verify(application).last == 1


def test_erased_content_is_not_in_the_database_any_more(application):
    act(application, 2, who=0)
    with application.control.autocommit() as connection:
        salts = connection.execute(select(CONTENT.c.salt)).scalars().all()
    erase(application, account_id=PEOPLE[0])
    with application.control.autocommit() as connection:
        rows = connection.execute(select(CONTENT)).all()
    assert not {salt for row in rows for salt in [row.salt]} & set(salts)
    assert PEOPLE[0] not in repr(rows)


def test_pruning_leaves_a_signed_beginning(application, monkeypatch):
    past = now() - 800 * DAY
    monkeypatch.setattr("pigi.operations.audit.chain.now", lambda: past)
    act(application, 5)
    anchor(application)
    monkeypatch.undo()
    act(application, 2)
    saved = signed_head(application)
    assert prune(application, now() - 730 * DAY, 3) == 3
    assert verify(application).ok
    assert prune(application, now() - 730 * DAY, 3) == 2
    assert prune(application, now() - 730 * DAY, 3) == 0
    verdict = verify(application, saved)
    assert (verdict.ok, verdict.entries, verdict.last, verdict.anchors, verdict.saved) == (True, 2, 7, 1, KEPT)


def test_a_chain_goes_on_after_all_its_entries_were_pruned(application):
    act(application, 3)
    saved = signed_head(application)
    assert prune(application, now() + DAY, 100) == 3
    assert verify(application, saved).saved == KEPT
    act(application)
    assert prune(application, now() + DAY, 100) == 1
    assert verify(application, saved).saved == TOO_OLD
    anchor(application)
    act(application)
    assert (verify(application).ok, verify(application).last) == (True, 5)


def test_anchoring_the_same_head_twice_keeps_the_first(application):
    act(application)
    anchor(application)
    with application.control.autocommit() as connection:
        before = connection.execute(select(ANCHOR)).all()
    anchor(application)
    with application.control.autocommit() as connection:
        assert connection.execute(select(ANCHOR)).all() == before


def test_anchors_outlive_a_rotation_of_the_keyring(application):
    old, new = ("old", b"o" * 32), ("new", b"n" * 32)
    notifications = [replace(application, keyring=Keyring(keys)) for keys in ([old], [new, old], [new])]
    act(application, 3)
    prune(notifications[0], now() + DAY, 2)
    anchor(notifications[0])
    assert verify(notifications[1]).ok
    assert verify(notifications[2]).flaw == Flaw.ANCHOR_ALTERED
    assert renew(notifications[1]) == 2
    assert renew(notifications[1]) == 0
    assert verify(notifications[2]).ok
    noted = notifications[0].keyring.signer.public_keys
    saved = signed_head(notifications[0])
    assert verify(notifications[2], saved).saved == NOT_SIGNED
    assert verify(notifications[2], saved, noted).saved == KEPT


def test_a_signature_serves_one_use_and_has_one_form(keyring):
    signer = keyring.signer
    signature = signer.sign("one use", b"data")
    key = signer.public_keys[0]
    assert is_signed(key, "one use", b"data", signature)
    assert not is_signed(key, "other use", b"data", signature)
    assert not is_signed(key, "one use", b"data", signature[:-3] + "A==" if signature[-3] != "A" else "B==")
    assert not is_signed(key, "one use", b"data", f"{signature} ")
    assert not is_signed("no key", "one use", b"data", signature)


def cleared(application):
    for table in (ENTRY, CONTENT, ANCHOR):
        sql(application, delete(table))
    return application


STEPS = st.one_of(
    st.tuples(st.just("act"), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("erase account"), st.integers(0, 2)),
    st.tuples(st.just("erase organisation"), st.integers(0, 2)),
    st.tuples(st.just("anchor")),
    st.tuples(st.just("prune"), st.integers(1, 4)),
)


def take(application, step):
    match step:
        case "act", times, who, where:
            act(application, times, who, where)
        case "erase account", who:
            erase(application, account_id=PEOPLE[who])
        case "erase organisation", where:
            erase(application, organisation_id=PLACES[where])
        case ("anchor",):
            anchor(application)
        case "prune", most:
            prune(application, now() + DAY, most)


OFTEN = hypothesis_settings(max_examples=many(25), suppress_health_check=[HealthCheck.function_scoped_fixture])


@OFTEN
@given(steps=st.lists(STEPS, max_size=8))
def test_whatever_pigi_does_itself_leaves_a_sound_chain(application, steps):
    cleared(application)
    for step in steps:
        take(application, step)
        assert verify(application).ok


def flipped(value, bit):
    """The value with one bit of it turned; None for text that PostgreSQL would not take."""
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    bit %= len(raw) * 8
    raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw)


CELLS = [
    *(("audit_entry", column) for column in ("at", "kind", "previous", "commitment", "entry_hash", "seq")),
    *(("audit_content", column) for column in ("actor", "details", "organisation_id", "salt", "seq")),
    *(("audit_anchor", column) for column in ("at", "entry_hash", "signature", "seq")),
]


@OFTEN
@given(data=st.data(), bit=st.integers(0, 10_000), pruned=st.booleans())
def test_no_single_bit_can_be_turned_unseen(application, data, bit, pruned):
    cleared(application)
    act(application, 5)
    if pruned:
        prune(application, now() + DAY, 2)
    anchor(application)
    table, column = data.draw(st.sampled_from(CELLS))
    assert turn_bit(application, table, column, bit)
    assert not verify(application).ok


def turn_bit(application, table, column, bit):
    with application.control.transaction() as connection:
        seqs = connection.execute(text(f"SELECT seq FROM {table} ORDER BY seq")).scalars().all()
        seq = seqs[bit % len(seqs)]
        if column == "seq":
            new = seq ^ (1 << bit % 40)
            connection.execute(text(f"UPDATE {table} SET seq = -seq WHERE seq = :new"), {"new": new})
            change = text(f"UPDATE {table} SET seq = :new WHERE seq = :seq")
            return connection.execute(change, {"new": new, "seq": seq}).rowcount
        if connection.dialect.name == "sqlite":
            cell = f"CAST({column} AS BLOB)"
            value = connection.execute(text(f"SELECT {cell} FROM {table} WHERE seq = :seq"), {"seq": seq}).scalar()
            kind = "BLOB" if column == "salt" else "TEXT"
            change = f"UPDATE {table} SET {column} = CAST(:value AS {kind}) WHERE seq = :seq"
            return connection.execute(text(change), {"value": flipped(value, bit), "seq": seq}).rowcount
        return turn_bit_of_postgresql(connection, table, column, seq, bit)


def turn_bit_of_postgresql(connection, table, column, seq, bit):
    value = connection.execute(text(f"SELECT {column} FROM {table} WHERE seq = :seq"), {"seq": seq}).scalar()
    if column == "at":
        new = value + timedelta(microseconds=1 << bit % 40)
    else:
        new = flipped(value, bit)
        if column != "salt":
            # Text that PostgreSQL takes: the bits that make no ASCII would be refused.
            new = bytes(byte & 0x7F or 0x20 for byte in new).decode()
            new = new if new != value else f"{value[:-1]}~"
    change = text(f"UPDATE {table} SET {column} = :value WHERE seq = :seq")
    return connection.execute(change, {"value": new, "seq": seq}).rowcount
