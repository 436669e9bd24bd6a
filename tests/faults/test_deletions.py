"""An organisation is deleted while its worker is killed at every step: it is gone all the same, and counted right."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.retention import GRACE
from pigi.ids import new_id
from pigi.jobs.kinds import PURGE_ORGANISATION, SEND_MAIL
from pigi.operations.configuration import create_project
from pigi.operations.deletion import ORGANISATION_PLAN, delete_organisation, read_receipt
from pigi.operations.deletion.records import DELETION
from pigi.store.control import Job, Organisation
from pigi.store.engines import truncate_log
from pigi.store.people import Invitation
from pigi.store.records import Hold
from pigi.store.signing import is_document_signed
from tests.support.furnished import furnish
from tests.support.jobs import ask
from tests.support.stack import HELD_WORKER, until

if TYPE_CHECKING:
    from tests.support.furnished import Furnished
    from tests.support.stack import Stack

MARKER = "zanzibar-quay"
OUTSIDE = ("subscription", "files", "database", "broker")
DEATHS = (
    *(f"{step.name} {'running' if step.name in OUTSIDE else 'done'}" for step in ORGANISATION_PLAN.steps),
    "database done",
    "move searching",
    "move done",
)
"""Each step is cut short before its commit; a database also after it was dropped."""
DONE_SECONDS = 120.0


def mark(stack: Stack, name: str = MARKER) -> Furnished:
    """An organisation with the marker in each text that people give it, also outside its own database."""
    home = furnish(stack.application, name)
    create_project(stack.application, home.caller, name, name)
    stack.application.files.put(f"organisations/{home.organisation}/exports/x/1", name.encode())
    hold = {"retention": "job", "reason": name, "review_on": now().date(), "added_by": "operator:cli"}
    times = {"added_at": now(), "approved_at": now(), "released_at": now()}
    with stack.application.control.begin() as session:
        session.execute(insert(Hold).values(**hold, **times, id=new_id(), organisation_id=home.organisation))
        this = Invitation.organisation_id == home.organisation
        session.execute(update(Invitation).where(this).values(email=f"{name}@example.org"))
        jobs = session.scalars(
            select(Job.id).where(Job.organisation_id == home.organisation, Job.kind != SEND_MAIL.name)
        )
    # Nothing is under way any more that might be done or not when it is deleted.
    stack.wait(jobs)
    return home


def places(stack: Stack, word: str) -> list[str]:
    """Every file of the installation, and every key of Redis, that has the word in it."""
    with stack.application.control.autocommit() as connection:
        truncate_log(connection)
    files = [path for path in stack.settings.home.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]
    broker = stack.redis()
    dumped = [key.decode() for key in broker.scan_iter() if word.encode() in (broker.dump(key) or b"")]
    return sorted({*(path.name for path in files), *dumped})


def begin(stack: Stack, home: Furnished) -> tuple[str, str]:
    """Delete it as of a week ago; the ids of the deletion and of its receipt."""
    delete_organisation(stack.application, home.caller)
    ago = now() - GRACE - timedelta(minutes=1)
    with stack.application.control.transaction() as connection:
        where = home.organisation
        connection.execute(update(Organisation).where(Organisation.id == where).values(deletion_at=ago))
        ended = {"requested_at": ago, "restorable_until": ago + GRACE}
        connection.execute(update(DELETION).where(DELETION.c.subject_id == where).values(ended))
        row = connection.execute(select(DELETION).where(DELETION.c.subject_id == where)).one()
    return row.id, row.receipt_id


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_killed_at_every_step_a_deletion_leaves_nothing_and_its_receipt_counts_right(stack: Stack) -> None:
    stack.worker("slow", children=1, app=HELD_WORKER, name="worker-deletions")
    holds = stack.settings.home / "holds"
    holds.mkdir(exist_ok=True)
    home, other = mark(stack), mark(stack, "lisbon-pier")
    assert "control.db" in places(stack, MARKER)
    twin, twin_receipt = begin(stack, mark(stack, "porto-dock"))
    deletion_id, receipt_id = begin(stack, home)
    run(stack, twin)
    for death in DEATHS:
        (holds / f"kill {death}").touch()
    run(stack, deletion_id)
    assert left(stack) == []
    receipt, undisturbed = (json.loads(read_receipt(stack.application, one)) for one in (receipt_id, twin_receipt))
    assert is_document_signed(receipt, stack.application.keyring.signer.jwks())
    assert receipt["counts"] == undisturbed["counts"]
    assert (places(stack, MARKER), places(stack, home.organisation)) == ([], [])
    assert "control.db" in places(stack, "lisbon-pier")
    with stack.application.tenants.read(other.organisation) as tenant:
        assert tenant.organisation_id == other.organisation
    stack.forget("worker-deletions")


def left(stack: Stack) -> list[str]:
    """The deaths that are still to come."""
    return [path.name for path in (stack.settings.home / "holds").glob("kill *")]


def run(stack: Stack, deletion_id: str) -> None:
    """Ask for the deletion's job until it is done: one that lost too many workers ends, and the sweep asks again."""
    deaths = len(left(stack))
    job_id = ask(stack.application.control, PURGE_ORGANISATION, subject_id=deletion_id)

    def look() -> bool:
        nonlocal job_id, deaths
        job = stack.job(job_id)
        if len(left(stack)) < deaths:
            deaths = len(left(stack))
            stack.lapse(job_id)
        if job.ended and job.state != "succeeded":
            job_id = ask(stack.application.control, PURGE_ORGANISATION, subject_id=deletion_id)
        return job.state == "succeeded"

    until(look, DONE_SECONDS, "the deletion is done")
