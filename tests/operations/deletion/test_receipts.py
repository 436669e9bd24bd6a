"""From the end of the grace to the receipt: what is counted, what stops it, and what is left when it is done."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, insert, or_, select, update

from pigi.clock import now
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import MIGRATE_ORGANISATION, PURGE_ORGANISATION, SEND_MAIL, SWEEP_ORGANISATIONS
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.notifications import PREFIX
from pigi.operations.deletion import delete_organisation, list_deletions, read_deletion, read_receipt
from pigi.operations.deletion.purge import OWNED
from pigi.operations.deletion.records import DELETION
from pigi.store.control import IdempotencyKey
from pigi.store.erasures import ErasureLog, digest
from pigi.store.ledgers import AuditContent, ErrorLog, Mail
from pigi.store.objects import Objects
from pigi.store.records import Hold
from pigi.store.schema import TENANT
from pigi.store.signing import is_document_signed
from standins.mail.faults import FaultyMail
from tasks import organisations
from tests.support.billing import Shop
from tests.support.deletions import ask_purge, due, full, lapse, mentions, purge
from tests.support.jobs import ask, row_of, take
from tests.support.mail import Office
from tests.support.people import make_member

FAILURE = {"process": "worker", "request_id": None, "place": "x", "error": "E"}


@pytest.fixture
def shop(with_redis, redis_server, stripe):
    settings = with_redis.settings.model_copy(update={"redis_url": redis_server.url})
    return Shop(replace(with_redis, settings=settings), stripe)


def deletion_of(shop, owner):
    with shop.control.autocommit() as connection:
        this = (DELETION.c.subject_id == owner.organisation_id) | DELETION.c.subject_id.is_(None)
        return connection.execute(select(DELETION).where(this)).one()


def receipt_of(shop, deletion_id):
    with shop.control.autocommit() as connection:
        receipt_id = connection.execute(select(DELETION.c.receipt_id).where(DELETION.c.id == deletion_id)).scalar_one()
    return json.loads(read_receipt(shop.application, receipt_id))


def rows(shop, table, *where):
    with shop.control.autocommit() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def counted(shop, owner):
    """What there is of an organisation in each place, counted apart from the purge."""
    where, by_name = owner.organisation_id, {table.name: table for table in OWNED}
    about = JOB.c.organisation_id.is_(None) & (JOB.c.subject_id == where)
    with shop.control.autocommit() as connection:
        jobs = set(connection.execute(select(JOB.c.id).where((JOB.c.organisation_id == where) | about)).scalars())
        issued = select(by_name["api_key"].c.id).where(by_name["api_key"].c.organisation_id == where)
        keys = [f"api-key:{key}" for key in connection.execute(issued).scalars()]
    own = {name: rows(shop, table, table.c.organisation_id == where) for name, table in by_name.items()}
    with shop.application.tenants.read(where) as tenant:
        content = sum(
            tenant.execute(select(func.count()).select_from(table)).scalar_one() for table in TENANT.sorted_tables
        )
    told = or_(AuditContent.organisation_id == where, AuditContent.subject == f"organisation:{where}")
    answers = rows(shop, IdempotencyKey, IdempotencyKey.caller.in_(keys))
    broker = redis.Redis.from_url(shop.application.settings.redis_url)
    messages = [json.loads(message)["headers"]["id"] for queue in broker.scan_iter(f"{PREFIX}*")
                for message in broker.lrange(queue, 0, -1)]  # fmt: skip
    elsewhere = {"job", "tombstone", "mail", "request_log", "usage_signal", "billing_account", "billing_link"}
    return {
        "database": content + answers + rows(shop, AuditContent, told) + 1
        + sum(count for name, count in own.items() if name not in elsewhere),
        "files": sum(1 for path in files_of(shop, owner) if path.is_file()),
        "broker": sum(1 for job in messages if job in jobs),
        "logs": own["request_log"] + own["usage_signal"] + rows(shop, ErrorLog, ErrorLog.job_id.in_(jobs)),
        "jobs": len(jobs) + own["tombstone"],
        "mails": own["mail"],
        "billing": own["billing_account"] + own["billing_link"] + 1,
        "backups": 0,
    }  # fmt: skip


def files_of(shop, owner):
    folder = Path(urlsplit(shop.application.settings.files_url).path)
    return (folder / "organisations" / owner.organisation_id).rglob("*")


def fill(shop, owner):
    """Files, a failure of one of its jobs, and a message in Redis about another."""
    for number in range(3):
        shop.application.files.put(f"organisations/{owner.organisation_id}/exports/x/{number}", b"x")
    with shop.control.begin() as session:
        job_id = ask(shop.control, MIGRATE_ORGANISATION, owner.organisation_id)
        session.execute(insert(ErrorLog).values(**FAILURE, at=now(), job_id=job_id, frames=""))


def test_the_receipt_counts_what_there_was_names_nobody_and_verifies(shop):
    owner = full(shop, "Harbour Works")
    fill(shop, owner)
    due(shop, owner)
    expected = counted(shop, owner)
    assert all(count > 0 for place, count in expected.items() if place != "backups")
    job = purge(shop, owner)
    receipt = receipt_of(shop, job.subject_id)
    assert receipt["counts"] == expected
    text = json.dumps(receipt)
    assert not any(word in text for word in (owner.organisation_id, owner.account_id, "Harbour"))
    assert [step["done_at"] is not None for step in receipt["steps"]] == [True] * len(receipt["steps"])
    assert sum(place["looked_at"] for place in receipt["search"]) > 0
    assert sum(place["found"] for place in receipt["search"]) == 0
    assert receipt["requested_at"] < receipt["sealed_at"] <= receipt["purged_at"] <= receipt["searched_at"]
    assert {kept["what"] for kept in receipt["kept"]} == {"billing_log", "backups"}
    signature = receipt.pop("signature")
    (key,) = (key for key in shop.application.keyring.signer.jwks() if key["kid"] == signature["kid"])
    public = Ed25519PublicKey.from_public_bytes(_decoded(key["x"]))
    # As an outsider does, with nothing of Pigi's: raises unless it holds.
    public.verify(_decoded(signature["value"]), rfc8785.dumps(receipt))


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_receipt_that_was_altered_anywhere_does_not_verify(shop):
    owner = shop.organisation()
    due(shop, owner)
    receipt = receipt_of(shop, purge(shop, owner).subject_id)
    jwks = shop.application.keyring.signer.jwks()
    assert is_document_signed(receipt, jwks)
    for name in receipt:
        assert not is_document_signed({key: value for key, value in receipt.items() if key != name}, jwks)
    assert not is_document_signed({**receipt, "more": 1}, jwks)
    assert not is_document_signed({**receipt, "counts": {**receipt["counts"], "files": 1}}, jwks)
    assert not is_document_signed(receipt, [])


def in_error_log(shop, owner):
    with shop.control.transaction() as connection:
        connection.execute(insert(ErrorLog).values(**FAILURE, at=now(), job_id=None, frames=owner.organisation_id))


def in_files(shop, owner):
    shop.application.files.put(f"elsewhere/{owner.organisation_id}", b"x")


def in_redis(shop, owner):
    redis.Redis.from_url(shop.application.settings.redis_url).set("left", owner.organisation_id)


def in_logs(shop, owner):
    folder = shop.application.settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "web.log").write_text(f"skipped {owner.organisation_id}\n")


def in_backups(shop, owner):
    Objects(shop.application.settings.backups_url).put(f"2026/{owner.organisation_id}", b"x")


@pytest.mark.parametrize("plant", [in_error_log, in_files, in_redis, in_logs, in_backups])
def test_what_is_left_over_anywhere_keeps_the_receipt_back_until_it_is_gone(shop, plant):
    owner = shop.organisation()
    due(shop, owner)
    plant(shop, owner)
    job = purge(shop, owner)
    assert (job.state, job.reason) == ("retrying", "deletion_left_over")
    row = deletion_of(shop, owner)
    assert (row.state, row.subject_id, row.requested_by) == ("searching", None, None)
    with pytest.raises(Refused, match="not_found"):
        read_receipt(shop.application, row.receipt_id)
    (case,) = list_deletions(shop.application)
    search = case.deletion.steps[-1]
    assert (search.name, search.state, search.count > 0) == ("search", "failed", True)
    clear(shop, owner)
    assert shop.do(job.id, now=True).state == "succeeded"
    assert receipt_of(shop, row.id)["id"] == row.receipt_id


def clear(shop, owner):
    with shop.control.transaction() as connection:
        connection.execute(ErrorLog.__table__.delete())
    shop.application.files.remove("elsewhere")
    Objects(shop.application.settings.backups_url).remove(f"2026/{owner.organisation_id}")
    redis.Redis.from_url(shop.application.settings.redis_url).delete("left")
    (shop.application.settings.home / "logs" / "web.log").unlink(missing_ok=True)


def test_no_row_says_of_whom_a_deletion_was_and_the_erasure_log_leads_nowhere(shop):
    owner = shop.organisation()
    due(shop, owner)
    purge(shop, owner)
    row = deletion_of(shop, owner)
    assert (row.state, row.subject_id, row.requested_by, row.terms) == ("done", None, None, None)
    assert mentions(shop, owner.organisation_id) == {}
    log = ErasureLog.from_settings(shop.application.settings)
    assert log.digests() == {digest("organisation", owner.organisation_id)}


def test_the_owners_are_mailed_at_once_a_day_before_and_at_the_end_and_their_addresses_are_forgotten(shop):
    owner = shop.organisation(email="olga@example.com")
    make_member(shop.application, owner.organisation_id, email="mia@example.com")
    with FaultyMail() as sink:
        office = Office(shop.application, sink)
        delete_organisation(shop.application, owner)
        assert send(shop, office) == ["deletion-started"]
        sweep(shop)
        assert send(shop, office) == []
        almost(shop, owner, timedelta(hours=23))
        sweep(shop)
        sweep(shop)
        assert send(shop, office) == ["deletion-warning"]
        lapse(shop, owner)
        purge(shop, owner)
        assert deletion_of(shop, owner).recipients is not None
        assert send(shop, office) == ["deletion-receipt"]
        texts = [parcel.part("plain") for parcel in sink.outbox.parcels("olga@example.com")]
        assert ["Harbour" in text for text in texts] == [True, True, False]
        assert f"/api/v1/receipts/{deletion_of(shop, owner).receipt_id}" in texts[-1]
        assert sink.outbox.parcels("mia@example.com") == []
    assert deletion_of(shop, owner).recipients is None
    assert "olga@example.com" not in mentions(shop, "olga@example.com").keys() - {"account"}


def sweep(shop):
    assert shop.do(ask(shop.control, SWEEP_ORGANISATIONS)).state == "succeeded"


def almost(shop, owner, left):
    """The grace ends so soon."""
    with shop.control.transaction() as connection:
        this = DELETION.c.subject_id == owner.organisation_id
        connection.execute(update(DELETION).where(this).values(restorable_until=now() + left))


def send(shop, office):
    """Send what waits to be sent; its templates."""
    with shop.control.autocommit() as connection:
        waiting = select(Mail.id, Mail.template).where(Mail.state == "queued").order_by(Mail.id)
        found = connection.execute(waiting).all()
        jobs = connection.execute(select(JOB.c.id).where(JOB.c.kind == SEND_MAIL.name, JOB.c.state == "queued"))
        waiting_jobs = jobs.scalars().all()
    assert len(found) == len(waiting_jobs)
    for mail in found:
        assert office.do(mail.id).state == "succeeded"
    return [mail.template for mail in found]


def test_a_notice_of_a_deletion_that_was_undone_is_not_sent(shop):
    owner = shop.organisation(email="olga@example.com")
    with FaultyMail() as sink:
        office = Office(shop.application, sink)
        delete_organisation(shop.application, owner)
        with shop.control.autocommit() as connection:
            mail_id = connection.execute(
                select(Mail.id).where(Mail.template == Template.DELETION_STARTED.value)
            ).scalar_one()
        organisations.deletion.restore_organisation(shop.application, owner)
        assert office.do(mail_id).reason == "mail_moot"
        assert sink.outbox.parcels("olga@example.com") == []


def test_the_grace_lasts_to_the_second(shop, monkeypatch):
    owner = shop.organisation()
    delete_organisation(shop.application, owner)
    ends = deletion_of(shop, owner).restorable_until
    for module in ("machine", "sweep"):
        monkeypatch.setattr(f"pigi.operations.deletion.{module}.now", lambda: ends - timedelta(seconds=1))
    purge(shop, owner)
    sweep(shop)
    assert deletion_of(shop, owner).state == "grace"
    assert rows(shop, JOB, JOB.c.kind == PURGE_ORGANISATION.name, JOB.c.state == "queued") == 0
    for module in ("machine", "sweep"):
        monkeypatch.setattr(f"pigi.operations.deletion.{module}.now", lambda: ends)
    sweep(shop)
    assert rows(shop, JOB, JOB.c.kind == PURGE_ORGANISATION.name, JOB.c.state == "queued") == 1
    purge(shop, owner)
    assert deletion_of(shop, owner).state == "done"


def test_a_hold_stops_it_shows_and_lets_it_go_on_when_it_is_released(shop):
    owner = shop.organisation()
    due(shop, owner)
    held = {"retention": "job", "reason": "a dispute", "review_on": now().date(), "added_by": "operator:cli"}
    with shop.control.begin() as session:
        times = {"added_at": now(), "approved_at": now()}
        session.execute(insert(Hold).values(**held, **times, id=new_id(), organisation_id=owner.organisation_id))
    sweep(shop)
    assert purge(shop, owner).state == "succeeded"
    view, is_held = read_deletion(shop.application, owner)
    assert (view.state, is_held) == ("grace", True)
    (case,) = list_deletions(shop.application)
    assert (case.held, case.overdue) == (True, False)
    with shop.control.transaction() as connection:
        connection.execute(update(Hold).values(released_at=now()))
    purge(shop, owner)
    assert deletion_of(shop, owner).state == "done"


def test_it_waits_for_a_worker_that_still_has_a_job_of_it_and_stops_it(shop):
    owner = shop.organisation()
    job_id = ask(shop.control, MIGRATE_ORGANISATION, owner.organisation_id)
    take(shop.control, MIGRATE_ORGANISATION, job_id)
    due(shop, owner)
    purging = ask_purge(shop, owner)
    assert shop.do(purging).reason == "deletion_waiting"
    assert deletion_of(shop, owner).state == "sealed"
    assert row_of(shop.control, job_id).cancel_requested_at is not None
    with shop.application.tenants.read(owner.organisation_id) as tenant:
        assert tenant.organisation_id == owner.organisation_id
    with shop.control.transaction() as connection:
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(lease_until=now() - timedelta(seconds=1)))
    assert shop.do(purging, now=True).state == "succeeded"
    assert deletion_of(shop, owner).state == "done"
