"""Violations of the controls of what Pigi does."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.domain.privacy import Recipient
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import record
from pigi.store.control import Effect, Heartbeat
from pigi.store.ledgers import AuditEntry, Mail
from pigi.store.people import Account
from tests.support.promises import declared_as, rows

ENTRY = AuditEntry.__table__


def a_mail_without_an_end(world):
    mail = {"id": new_id(), "job_id": new_id(), "template": "welcome", "subject_id": new_id(), "address_hash": "x"}
    return rows(world, Mail, {**mail, "state": "queued", "created_at": now() - timedelta(days=3)})


@contextmanager
def a_mail_sent_twice(world):
    """Under one effect, which a crash had left open: done at the second try, though it may be sent once."""
    with world.application.control.autocommit() as connection:
        job = connection.execute(select(JOB.c.id).limit(1)).scalar_one()
    effect = {"job_id": job, "key": "mail", "state": "done", "policy": "at most once", "tries": 2, "intended_at": now()}
    mail = {"id": new_id(), "job_id": job, "template": "welcome", "subject_id": new_id(), "address_hash": "x"}
    with rows(world, Effect, effect), rows(world, Mail, {**mail, "state": "sent", "created_at": now()}):
        yield


def names_for_the_model(_world):
    return declared_as(Account.__table__.c.name, recipients=(Recipient.ANTHROPIC,))


@contextmanager
def an_altered_entry(world):
    control = world.application.control
    with control.begin() as session:
        record(session, world.application, "organisation.created", "pigi", world.organisation)
    with control.autocommit() as connection:
        seq = connection.execute(select(func.max(ENTRY.c.seq))).scalar_one()
        kind = connection.execute(select(ENTRY.c.kind).where(ENTRY.c.seq == seq)).scalar_one()
        connection.execute(update(ENTRY).where(ENTRY.c.seq == seq).values(kind="organisation.renamed"))
    try:
        yield
    finally:
        with control.autocommit() as connection:
            connection.execute(update(ENTRY).where(ENTRY.c.seq == seq).values(kind=kind))


def a_sweep_of_configuration(world):
    return rows(world, Heartbeat, {"name": "swept configuration", "at": now(), "note": "3 rows"})


PLANTED = {
    "mails-once": (a_mail_without_an_end, a_mail_sent_twice),
    "only-drafts-to-the-model": names_for_the_model,
    "audit-log-holds-together": an_altered_entry,
    "nothing-in-use-is-swept": a_sweep_of_configuration,
}
