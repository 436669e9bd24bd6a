"""Violations that a canary meets in its life."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain.canary import NAME
from pigi.domain.deletions import DeletionScope
from pigi.ids import new_id
from pigi.jobs.heartbeats import last_notes
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.jobs.model.transitions import JOB
from pigi.operations.configuration import create_project
from pigi.operations.deletion import open_deletion
from pigi.operations.deletion.records import DELETION, STEP
from pigi.operations.generations import draft_request
from pigi.operations.promises import rounds
from pigi.operations.promises.canary import resident
from pigi.privacy.leads import CONTROL_LEADS
from pigi.store.deletions import Receipt
from pigi.store.tenant import Project
from tests.support.jobs import copies

RECEIPT = Receipt.__table__


def _note(world, name):
    with world.application.control.autocommit() as connection:
        return last_notes(connection)[name]


@contextmanager
def a_request_that_names_who_asks(_world):
    def telling(resource, name, purpose):
        return draft_request(resource, name, f"{purpose} For canary@example.com.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pigi.operations.promises.controls.rounds.draft_request", telling)
        yield


@contextmanager
def a_cleanup_that_waits(world):
    control = world.application.control
    job_id = _note(world, rounds.GENERATION)
    late = {"cleanup_at": now() - timedelta(hours=1), "kind": GENERATE_DRAFT.name}
    (copy,) = copies(control, job_id, 1, **late)
    try:
        yield
    finally:
        with control.autocommit() as connection:
            connection.execute(delete(JOB).where(JOB.c.id == copy))


@contextmanager
def a_purpose_in_a_log(world):
    folder = world.application.settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "worker.log"
    log.write_text(f"asked for: {rounds.marker(world.application)}\n")
    try:
        yield
    finally:
        log.unlink()


@contextmanager
def a_late_deletion(world):
    with world.application.control.transaction() as connection:
        long_ago = now() - timedelta(days=20)
        late = open_deletion(connection, DeletionScope.ORGANISATION, new_id(), NAME, [], requested_at=long_ago)
    try:
        yield
    finally:
        with world.application.control.transaction() as connection:
            connection.execute(delete(STEP).where(STEP.c.deletion_id == late))
            connection.execute(delete(DELETION).where(DELETION.c.id == late))


def _forged(name):
    """A plant: a receipt says more than was signed."""

    @contextmanager
    def plant(world):
        control = world.application.control
        of = select(DELETION.c.receipt_id).where(DELETION.c.id == _note(world, name)).scalar_subquery()
        with control.autocommit() as connection:
            signed = connection.execute(select(RECEIPT.c.document).where(RECEIPT.c.id == of)).scalar_one()
            forged = signed.replace('"version": 1', '"version": 2')
            assert forged != signed
            connection.execute(update(RECEIPT).where(RECEIPT.c.id == of).values(document=forged))
        try:
            yield
        finally:
            with control.autocommit() as connection:
                connection.execute(update(RECEIPT).where(RECEIPT.c.id == of).values(document=signed))

    return plant


@contextmanager
def a_table_that_was_not_exported(_world):
    """People may be named in one more table than the file has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CONTROL_LEADS, "shadow", CONTROL_LEADS["job"])
        yield


@contextmanager
def a_file_that_lacks_something(world):
    files = world.application.files
    (found,) = [one.name for one in files.find("organisations/") if "/exports/" in one.name]
    whole = files.get(found)
    files.put(found, whole.replace(b"Canary", b"canary"))
    try:
        yield
    finally:
        files.put(found, whole)


@contextmanager
def a_project_that_was_not_exported(world):
    """The export is whole in itself, and the organisation has more than it tells."""
    canary = resident(world.application)
    project = create_project(world.application, canary.caller, "Left out")
    try:
        yield
    finally:
        with world.application.tenants.session(canary.organisation_id) as session:
            session.execute(delete(Project).where(Project.id == project.id))


PLANTED = {
    "request-compared": a_request_that_names_who_asks,
    "purposes-erased-in-time": a_cleanup_that_waits,
    "marked-purpose-is-gone": a_purpose_in_a_log,
    "deletions-in-time": a_late_deletion,
    "organisation-is-gone": _forged(rounds.ORGANISATION_DELETION),
    "account-is-gone": _forged(rounds.ACCOUNT_DELETION),
    "access-export-is-whole": a_table_that_was_not_exported,
    "configuration-export-is-whole": (a_file_that_lacks_something, a_project_that_was_not_exported),
}
