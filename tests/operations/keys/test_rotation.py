"""Keys rotate while everything runs: the count reaches 0, the old key goes, everything opens."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Integer, LargeBinary, insert, select, update

from pigi.clock import now
from pigi.domain.keys import DATA_KEY_AGE, KEPT_EMPTY
from pigi.errors import Misconfigured
from pigi.ids import new_id
from pigi.jobs.kinds import ROTATE_DATA_KEY
from pigi.jobs.model.claim import HandBack
from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import CLI, record, verify
from pigi.operations.keys import (
    KeyRegister,
    data_keys,
    note_provider_keys,
    public_jwks,
    refuse_missing_keys,
    report_keys,
    request_rotation,
    rotate_data_key,
    rotate_due,
    rotate_keyring,
)
from pigi.operations.keys.data_keys import BATCH, SEALED_IN_CONTROL, SEALED_IN_TENANT, retire
from pigi.privacy.leads import SEALED_FOR
from pigi.store import sealing
from pigi.store.billing import BillingLink
from pigi.store.control import DataKey, Organisation
from pigi.store.deletions import RECIPIENTS, Deletion
from pigi.store.instants import Instant
from pigi.store.keyring import Keyring
from pigi.store.keys import SEALED_BY_KEYRING, PublicKey
from pigi.store.people import DEVICE_SECRET, SecondFactor
from pigi.store.schema import CONTROL, TENANT
from pigi.store.signing import is_document_signed
from pigi.store.tenant import Generation
from pigi.store.tenants import TenantMissingError
from tests.support.factories import add_generation
from tests.support.keys import everything, under
from tests.support.people import DEVICE, make_account

OLD, NEW = ("old", b"o" * 32), ("new", b"n" * 32)
NOT_SEALED = {"data_key.wrapped", "api_key.secret_hash", "audit_content.salt"}


class Attempt:
    """An attempt of a job that is ended at its ``ends_at``-th checkpoint."""

    def __init__(self, application, organisation=None, ends_at=10**9, meanwhile=lambda: None):
        self.control, self.organisation_id = application.control, organisation
        self.job = SimpleNamespace(kind="keys", mine={})
        self.left, self.meanwhile, self.shown = ends_at, meanwhile, []

    def checkpoint(self):
        self.meanwhile()
        self.left -= 1
        if self.left < 0:
            raise HandBack

    def progress(self, *shown):
        self.shown.append(shown)


def through(job, ends):
    """Carry a job out, ended at each of these checkpoints, and at last not."""
    ended = 0
    for one in ends:
        try:
            job(one)
        except HandBack:
            ended += 1
    job(10**9)
    return ended


def filled(table, sealer, number):
    """A row of any table, with each sealed column sealed."""
    row = {
        column.name: number if isinstance(column.type, Integer) else now() if isinstance(column.type, Instant) else "x"
        for column in table.columns
    }
    for column in table.columns:
        if column.primary_key and not isinstance(column.type, Integer) and column.name != "use":
            row[column.name] = "x" if column.foreign_keys else new_id()
        if column.name in {"name_key", "use"}:
            row[column.name] = f"{number}"
    if table.name in {"project", "resource", "generation"} and number == 0:
        row["id"] = "x"
    place = SEALED_FOR.get(table.name, "{id}").format(**{"id": "", **row})
    return row | {
        column.name: sealer.seal(f"{column.name} {number}", table.name, column.name, place)
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }


@pytest.fixture
def written(application, organisation):
    """An organisation with something in every sealed column, some of it more than a batch."""
    with application.tenants.session(organisation) as session:
        for table in TENANT.sorted_tables:
            many = BATCH * 2 + 3 if table.name in {"resource_revision", "project"} else 2
            rows = [filled(table, session.sealer, number) for number in range(many)]
            if any(isinstance(column.type, LargeBinary) for column in table.columns):
                session.execute(insert(table), rows)
        link = new_id()
        sealed = session.sealer.seal("https://example.org", "billing_link", "url", link)
    row = {"id": link, "organisation_id": organisation, "page": "portal", "url": sealed, "created_at": now()}
    with application.control.autocommit() as connection:
        connection.execute(insert(BillingLink).values(row))
    return organisation


def test_every_column_of_bytes_is_known_to_a_rotation():
    sealed = {*SEALED_IN_CONTROL, *SEALED_BY_KEYRING}
    found = {str(c) for table in CONTROL.sorted_tables for c in table.columns if isinstance(c.type, LargeBinary)}
    assert found == {str(column) for column in sealed} | NOT_SEALED
    assert len(SEALED_IN_TENANT) > 8


def test_a_data_key_rotates_through_kills_while_people_write_and_the_old_one_goes_a_day_later(
    application, control, written, monkeypatch
):
    monkeypatch.setattr(sealing, "CURRENT_SECONDS", 0.05)
    monkeypatch.setattr(data_keys, "BATCH", 10)
    before = everything(application, written)
    other = under(application, *[("test", b"k" * 32)])
    with other.tenants.session(written) as session:
        stale = session.sealer
    assert request_rotation(application, CLI, written) == 1
    added = []

    def write():
        with other.tenants.session(written) as session:
            added.append(add_generation(session, purpose="written meanwhile"))

    chance = random.Random(11)
    ended = through(
        lambda ends: rotate_data_key(Attempt(application, written, ends, write), application),
        [chance.randrange(4) for _ in range(10)],
    )
    assert ended == 10
    assert stale.current in {1, 2}
    # What a process wrote with the old key in its last moments is found by the next run.
    rotate_data_key(Attempt(application, written), application)
    (line,) = report_keys(application).rotations
    assert (line.left, line.emptied_at is not None) == (0, True)
    assert versions(control, written) == [1, 2]
    with control.autocommit() as connection:
        connection.execute(update(DataKey).values(emptied_at=now() - KEPT_EMPTY))
    rotate_data_key(Attempt(application, written), application)
    assert versions(control, written) == [2]
    fresh = under(application, ("test", b"k" * 32))
    after = everything(fresh, written)
    assert {place: after[place] for place in before} == before
    assert all(after["generation", "purpose", one] == "written meanwhile" for one in added)
    fresh.tenants.dispose()
    other.tenants.dispose()


def test_a_value_that_no_key_opens_keeps_no_other_from_being_sealed_anew(application, written, caplog):
    whole = everything(application, written)
    with application.tenants.session(written) as session:
        session.execute(update(Generation).where(Generation.id == "x").values(purpose=b"\1\0\1" + b"?" * 40))
    request_rotation(application, CLI, written)
    with pytest.raises(sealing.SealBrokenError):
        rotate_data_key(Attempt(application, written), application)
    assert report_keys(application).rotations[0].left == 1
    assert f"no key opens 1 values of {written}" in caplog.text
    with application.tenants.session(written) as session:
        session.execute(update(Generation).where(Generation.id == "x").values(purpose=None))
    rotate_data_key(Attempt(application, written), application)
    del whole["generation", "purpose", "x"]
    assert everything(application, written) == whole


def test_two_rotations_at_once_do_no_harm_and_one_of_a_deleted_organisation_ends(application, written, monkeypatch):
    monkeypatch.setattr(data_keys, "BATCH", 60)
    whole = everything(application, written)
    request_rotation(application, CLI, written)
    beside = under(application, ("test", b"k" * 32))
    other = [lambda: rotate_data_key(Attempt(beside, written), beside)]
    rotate_data_key(Attempt(application, written, meanwhile=lambda: other and other.pop()()), application)
    assert report_keys(application).rotations[0].left == 0
    assert everything(beside, written) == whole
    request_rotation(application, CLI, written)
    application.tenants.drop(written)
    with pytest.raises(TenantMissingError):
        rotate_data_key(Attempt(application, written), application)
    assert report_keys(application).rotations[0].left is None
    beside.tenants.dispose()


def test_a_key_that_is_used_again_is_not_destroyed(application, control, organisation):
    with application.tenants.session(organisation) as session:
        old = session.sealer
    request_rotation(application, CLI, organisation)
    with control.autocommit() as connection:
        connection.execute(update(DataKey).where(DataKey.version == 1).values(emptied_at=now() - KEPT_EMPTY * 2))
    with application.tenants.session(organisation) as session:
        made = add_generation(session)
        name = old.seal("late", "generation", "name", made)
        session.flush()
        session.execute(update(Generation).where(Generation.id == made).values(name=name))
    retire(application, organisation)
    assert versions(control, organisation) == [1, 2]


def test_the_keyring_rotates_through_kills_and_the_old_key_can_be_removed(application, control, written, tmp_path):
    before = under(application, OLD)
    with control.begin() as session:
        session.execute(update(DataKey).values(_rewrapped(application, before, written)))
        deletion = new_id()
        session.execute(insert(Deletion).values(**_deletion(before, deletion)))
        record(session, application, "operator.added", CLI, None, None)
    account = make_account(before, factor=True)
    document = before.keyring.signer.sign_document({"receipt": 1})
    with pytest.raises(Misconfigured, match=r"lacks the key old, under which 1 data keys still are.* a key, under"):
        refuse_missing_keys(under(application, NEW))
    both = under(application, NEW, OLD)
    assert report_keys(both).old_rows == 4
    through(lambda ends: rotate_keyring(Attempt(both, None, ends), both), [0, 1, 2, 3])
    assert report_keys(both).old_rows == 0
    alone = under(application, NEW)
    refuse_missing_keys(alone)
    assert everything(alone, written)
    with control.autocommit() as connection:
        sealed = connection.execute(select(Deletion.recipients)).scalar()
        device = connection.execute(select(SecondFactor.sealed)).scalar()
    assert alone.keyring.open(RECIPIENTS, deletion, sealed) == b"{}"
    assert alone.keyring.open(DEVICE_SECRET, account, device) == DEVICE
    # What the old key signed still can be checked; a key that somebody else entered is not published.
    assert is_document_signed(document, public_jwks(alone))
    with control.autocommit() as connection:
        stranger = Keyring([("x", b"s" * 32)]).signer
        row = {"x": stranger.public_keys[0], "endorsement": stranger.sign("public key", b""), "added_at": now()}
        connection.execute(insert(PublicKey).values(row))
    assert len(public_jwks(alone)) == 2
    assert verify(alone).ok
    for one in (before, both, alone):
        one.tenants.dispose()


def test_a_key_is_known_by_its_bytes_and_not_by_its_name(application, control, organisation):
    with pytest.raises(Misconfigured, match="not hold one key under two names"):
        Keyring([("old", b"o" * 32), ("new", b"o" * 32)])
    namesake = under(application, ("test", b"z" * 32))
    with pytest.raises(Misconfigured, match="holds another test than the one under which 1 data keys still are"):
        refuse_missing_keys(namesake)
    assert report_keys(namesake).old_rows == 1
    # One damaged value is no missing key: whoever else is here goes on.
    account = make_account(application, factor=True)
    make_account(application, factor=True)
    make_account(application, factor=True)
    with control.autocommit() as connection:
        mine = update(SecondFactor).where(SecondFactor.account_id == account)
        connection.execute(mine.values(sealed=b"?" * 60))
    refuse_missing_keys(application)
    assert report_keys(application).old_rows == 1


def test_an_organisation_that_is_being_deleted_is_not_late(application, control, organisation):
    def late():
        return report_keys(application).late

    with control.autocommit() as connection:
        connection.execute(update(DataKey).values(created_at=now() - timedelta(days=380)))
        assert late() == 1
        connection.execute(update(Organisation).values(state="deleting"))
        assert late() == 0
        connection.execute(update(Organisation).values(state="active"))
    request_rotation(application, CLI, organisation)
    with control.autocommit() as connection:
        connection.execute(update(DataKey).values(created_at=now() - timedelta(days=15), emptied_at=now()))
    assert late() == 1


def test_the_schedule_renews_what_is_due_once_and_leaves_alone_what_is_not(application, control, organisation):
    rotate_due(Attempt(application), application)
    assert queued(control) == []
    with control.autocommit() as connection:
        connection.execute(update(DataKey).values(created_at=now() - DATA_KEY_AGE - timedelta(hours=1)))
    assert report_keys(application).due == 1
    for _ in range(2):
        rotate_due(Attempt(application), application)
    assert queued(control) == [organisation]
    assert versions(control, organisation) == [1, 2]


def test_providers_keys_are_known_by_age_and_never_by_themselves(application, caplog):
    settings = application.settings.model_copy(
        update={"anthropic_api_key": "first-key,second-key", "smtp_url": "smtps://u:pass%2Fword@mail.example"}
    )
    seen = replace(application, settings=settings, keyring=Keyring([OLD]))
    note_provider_keys(seen)
    KeyRegister(seen).refused("ANTHROPIC_API_KEY", "first-key")
    rotated = replace(seen, keyring=Keyring([NEW, OLD]))
    note_provider_keys(rotated)
    lines = report_keys(rotated).providers
    assert [(line.setting, line.state) for line in lines] == [
        ("ANTHROPIC_API_KEY", "refused"),
        ("ANTHROPIC_API_KEY", "ok"),
        ("SMTP_URL", "ok"),
    ]
    assert "first-key" not in repr(lines) + caplog.text
    assert "a key of ANTHROPIC_API_KEY was refused" in caplog.text
    # One that is taken again is fine, and one that was replaced is none any more.
    KeyRegister(rotated).accepted("ANTHROPIC_API_KEY", "first-key")
    assert {line.state for line in report_keys(rotated).providers} == {"ok"}
    replaced = replace(rotated, settings=settings.model_copy(update={"anthropic_api_key": "second-key"}))
    assert [line.setting for line in report_keys(replaced).providers] == ["ANTHROPIC_API_KEY", "SMTP_URL"]


def versions(control, organisation):
    with control.autocommit() as connection:
        mine = select(DataKey.version).where(DataKey.organisation_id == organisation).order_by(DataKey.version)
        return list(connection.execute(mine).scalars())


def queued(control):
    with control.autocommit() as connection:
        mine = select(JOB.c.organisation_id).where(JOB.c.kind == ROTATE_DATA_KEY.name)
        return list(connection.execute(mine).scalars())


def _rewrapped(application, before, organisation):
    with application.control.autocommit() as connection:
        row = connection.execute(select(DataKey.keyring_id, DataKey.wrapped)).one()
    key = application.keyring.unwrap(organisation, row.keyring_id, row.wrapped)
    name, wrapped = before.keyring.wrap(organisation, key)
    return {"keyring_id": name, "wrapped": wrapped}


def _deletion(before, deletion):
    moments = dict.fromkeys(("requested_at", "restorable_until", "final_by"), now())
    return {
        "id": deletion,
        "scope": "organisation",
        "subject_id": new_id(),
        "state": "sealed",
        "receipt_id": new_id(),
        "recipients": before.keyring.seal(RECIPIENTS, deletion, b"{}"),
        **moments,
    }
