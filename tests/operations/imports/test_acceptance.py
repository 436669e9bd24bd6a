"""Accepting an import: all of it becomes configuration, once, beside what is there; a kill anywhere costs nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select

from pigi.clock import now
from pigi.domain.access import Caller, Role
from pigi.domain.job_state import JobState
from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import ACCEPT_IMPORT
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    create_project,
    create_resource,
    list_projects,
    list_resources,
    list_revisions,
    read_resource,
)
from pigi.operations.imports import (
    accept_import,
    acceptance,
    clean_up,
    discard_import,
    imports,
    list_imports,
    read_import,
)
from pigi.operations.jobs import cancel_job
from tests.support.contents import AGENT, CONTENTS, DOCUMENT
from tests.support.environments import ROOT, environment_of
from tests.support.imports import accept, do_accept, do_read, document_of, project_of, read, resource_of, upload
from tests.support.jobs import change, ended_job, lapse, raise_epoch, row_of

SQLITE = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


@pytest.fixture
def caller(organisation):
    return Caller(organisation, Role.OWNER, new_id())


def everything(application, caller):
    """What an organisation has: project, state, kind, name, state, revisions and contents."""
    found = []
    for state in ("active", "archived"):
        for project in list_projects(application, caller, state=state, limit=1000):
            found.append((project.name, project.state))
            for kind in CONTENTS:
                for of_state in ("active", "archived"):
                    listed = list_resources(application, caller, project.id, kind, state=of_state, limit=1000)
                    for one in listed:
                        whole = read_resource(application, caller, ResourceAddress(project.id, kind, one.id))
                        found.append((project.name, kind, one.name, of_state, one.revision, str(whole.content)))
    return sorted(found, key=str)


def names(application, caller):
    return sorted(entry[:3] for entry in everything(application, caller) if len(entry) > 2)


def files(application, caller):
    return list(application.files.find(f"organisations/{caller.organisation_id}/imports"))


FILE = document_of(
    project_of("Shop", *(resource_of(kind, revisions=3) for kind in CONTENTS), resource_of("agent", state="archived")),
    project_of("Old", resource_of("document"), state="archived"),
    project_of("Empty", description="Nothing yet."),
)


def test_all_of_it_becomes_configuration_under_whoever_accepts(application, caller):
    found = read(application, caller, FILE)
    job = accept(application, caller, found.id)
    assert (job.state, job.reason) == ("succeeded", None)
    assert read_import(application, caller, found.id).state == "accepted"
    assert files(application, caller) == []
    assert len(everything(application, caller)) == 3 + 6
    shop = next(one for one in list_projects(application, caller) if one.name == "Shop")
    (agent,) = list_resources(application, caller, shop.id, "agent")
    past = list_revisions(application, caller, ResourceAddress(shop.id, "agent", agent.id))
    assert [(one.number, one.author, one.origin) for one in past] == [(n, caller.name, "written") for n in (3, 2, 1)]
    assert {one.created_at.isoformat() for one in past} == {"2026-01-02T03:04:05+00:00"}


@SQLITE
def test_importing_it_again_adds_nothing_that_is_in_use(application, caller):
    accept(application, caller, read(application, caller, FILE).id)
    before = [entry for entry in everything(application, caller) if entry[0] != "Old"]
    again = read(application, caller, FILE)
    assert (again.report["same"], again.report["created"]["resources"]) == (5, 1)
    accept(application, caller, again.id)
    assert [entry for entry in everything(application, caller) if entry[0] != "Old"] == before


@SQLITE
def test_what_differs_goes_beside_what_is_there_which_stays(application, caller):
    project = create_project(application, caller, "shop").id
    create_resource(application, caller, project, "document", {**DOCUMENT, "body": "Ours."})
    create_project(application, caller, "Shop (imported)")
    before = everything(application, caller)
    accept(application, caller, read(application, caller, FILE).id)
    after = everything(application, caller)
    assert set(before) <= set(after)
    assert ("Shop (imported 2)", "document", DOCUMENT["title"]) in names(application, caller)
    assert ("shop", "agent", AGENT["name"]) in names(application, caller)


class Killed(BaseException):
    """As if the process died."""


@SQLITE
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_batch_neither_loses_nor_doubles(application, caller, monkeypatch, after):
    monkeypatch.setattr(acceptance, "BATCH_ENTRIES", 2)
    create_resource(application, caller, create_project(application, caller, "Shop").id, "document",
                    {**DOCUMENT, "body": "Ours."})  # fmt: skip
    found = read(application, caller, FILE)
    job = accept_import(application, caller, found.id)
    write, kills = acceptance._Writer._write, 0

    def kill(self, *, last):
        if after:
            write(self, last=last)
        if self.kill:
            raise Killed
        if not after:
            write(self, last=last)
        self.kill = True

    monkeypatch.setattr(acceptance._Writer, "_write", kill)
    monkeypatch.setattr(acceptance._Writer, "kill", after, raising=False)
    while row_of(application.control, job.id).state != JobState.SUCCEEDED:
        try:
            do_accept(application, job.id)
        except Killed:
            kills += 1
            lapse(application.control, job.id)
            change(application.control, job.id, state="retrying", due_at=timedelta(seconds=-1), lost=0)
        assert kills < 20
    monkeypatch.undo()
    assert kills >= 4
    assert (read_import(application, caller, found.id).state, files(application, caller)) == ("accepted", [])
    assert names(application, caller) == sorted(
        [("Shop", kind, resource_of(kind)["name"]) for kind in CONTENTS]
        + [("Shop", "agent", AGENT["name"]), ("Shop (imported)", "document", DOCUMENT["title"])]
        + [("Old", "document", DOCUMENT["title"])]
    )


DYING = """
import os, signal, sys
from pigi.application import Application
from pigi.operations.imports import acceptance
from tests.support.imports import do_accept

writes = []
write = acceptance._Writer._write

def die(self, *, last):
    writes.append(write(self, last=last))
    if len(writes) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

acceptance.BATCH_ENTRIES = 2
acceptance._Writer._write = die
do_accept(Application.open(), sys.argv[1])
"""


def test_a_process_that_is_killed_leaves_whole_batches_and_another_goes_on(application, caller, settings):
    found = read(application, caller, FILE)
    job = accept_import(application, caller, found.id)
    program = (sys.executable, "-c", DYING, job.id)
    died = subprocess.run(program, cwd=ROOT, env=environment_of(settings), check=False)
    assert died.returncode == -signal.SIGKILL
    half = everything(application, caller)
    assert (len(half), read_import(application, caller, found.id).begun) == (1 + 3, True)
    lapse(application.control, job.id)
    change(application.control, job.id, state="retrying", due_at=timedelta(seconds=-1))
    do_accept(application, job.id)
    assert row_of(application.control, job.id).state == "succeeded"
    whole = everything(application, caller)
    assert (len(whole), set(half) <= set(whole)) == (3 + 6, True)


@SQLITE
def test_accepting_twice_is_one_job_and_discarding_afterwards_is_refused(application, caller):
    found = read(application, caller, FILE)
    jobs = {accept_import(application, caller, found.id).id for _ in range(2)}
    with pytest.raises(Refused, match="import_under_way"):
        discard_import(application, caller, found.id)
    do_accept(application, *jobs)
    assert accept_import(application, caller, found.id).id in jobs
    with pytest.raises(Refused, match="import_over"):
        discard_import(application, caller, found.id)
    assert [one.state for one in list_imports(application, caller)] == ["accepted"]


@SQLITE
def test_what_is_not_ready_or_was_discarded_cannot_be_accepted(application, caller):
    import_id = upload(application, caller, FILE)
    with pytest.raises(Refused, match="import_not_ready"):
        accept_import(application, caller, import_id)
    do_read(application, caller, import_id)
    discard_import(application, caller, import_id)
    with pytest.raises(Refused, match="import_over"):
        accept_import(application, caller, import_id)
    assert everything(application, caller) == []


@SQLITE
def test_one_that_was_stopped_half_way_goes_on_when_it_is_accepted_again(application, caller, monkeypatch):
    monkeypatch.setattr(acceptance, "BATCH_ENTRIES", 2)
    found = read(application, caller, FILE)
    job = accept_import(application, caller, found.id)
    write = acceptance._Writer._write

    def archive(self, *, last):
        write(self, last=last)
        archive_project(application, caller, list_projects(application, caller)[0].id)

    with monkeypatch.context() as patch:
        patch.setattr(acceptance._Writer, "_write", archive)
        do_accept(application, job.id)
    ended = row_of(application.control, job.id)
    assert (ended.state, ended.reason) == ("failed", "archived")
    half = read_import(application, caller, found.id)
    assert (half.state, half.begun) == ("ready", True)
    assert accept_import(application, caller, found.id).id != job.id


@SQLITE
def test_a_deleted_organisation_is_imported_into_no_more(application, caller):
    found = read(application, caller, FILE)
    job = accept_import(application, caller, found.id)
    raise_epoch(application.control, caller.organisation_id)
    do_accept(application, job.id)
    assert row_of(application.control, job.id).reason == "fenced"
    assert everything(application, caller) == []


@SQLITE
def test_a_cancelled_reading_has_failed_and_leaves_no_file(application, caller):
    import_id = upload(application, caller, FILE)
    cancel_job(application, read_import(application, caller, import_id).job_id, caller.organisation_id)
    found = read_import(application, caller, import_id)
    assert (found.state, found.reason, files(application, caller)) == ("failed", "import_unread", [])


def test_after_its_period_nothing_is_left_and_to_the_second_all_is(application, caller):
    found = read(application, caller, FILE)
    ended = ended_job(caller.organisation_id, found.id, JobState.SUCCEEDED, now())
    due = found.created_at + keep(Retention.IMPORT)
    assert clean_up(application, ended) == due

    def move(created_at):
        with application.tenants.session(caller.organisation_id) as session:
            session.execute(imports.IMPORT.update().values(created_at=created_at))

    move(now() - keep(Retention.IMPORT) + timedelta(seconds=5))
    assert clean_up(application, ended) is not None
    assert files(application, caller)
    move(now() - keep(Retention.IMPORT))
    assert clean_up(application, ended) is None
    assert (files(application, caller), list_imports(application, caller)) == ([], [])


@SQLITE
def test_the_report_is_sealed(application, caller):
    found = read(application, caller, document_of(project_of("marker-7f3a9c")))
    assert "marker-7f3a9c" in str(found.report)
    with application.tenants.read(caller.organisation_id) as session:
        row = session.execute(select(imports.IMPORT)).one()
    assert b"marker" not in row.report
    assert ACCEPT_IMPORT.queue == "export"
