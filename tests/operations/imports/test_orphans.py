"""Uploads that a crash left behind go; what somebody waits for stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.domain.access import Caller, Role
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import Handler
from pigi.jobs.kinds import SWEEP_IMPORTS
from pigi.jobs.model.transitions import JOB
from pigi.operations.imports import list_imports, orphans, read_import, sweep_imports
from pigi.operations.imports.imports import folder_of
from tests.support.imports import document_of, read, upload
from tests.support.jobs import ask

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


@pytest.fixture
def caller(organisation):
    return Caller(organisation, Role.OWNER, new_id())


def sweep(application, worker_context):
    body = Handler(SWEEP_IMPORTS, lambda context, own: sweep_imports(context, own.application))
    run(body, ask(application.control, SWEEP_IMPORTS), worker_context)
    return {one.name.split("/")[3] for one in application.files.find("organisations") if "/imports/" in one.name}


def test_only_what_nobody_waits_for_goes_and_not_before_its_time(application, caller, worker_context, monkeypatch):
    lost, gone = new_id(), new_id()
    application.files.put(f"{folder_of(caller.organisation_id, lost)}/1", b"half of it")
    application.files.put(f"{folder_of(new_id(), gone)}/1", b"of an organisation that is gone")
    jobless, waiting = upload(application, caller, document_of()), upload(application, caller, document_of())
    ready = read(application, caller, document_of()).id
    with application.control.autocommit() as connection:
        connection.execute(JOB.delete().where(JOB.c.id == read_import(application, caller, jobless).job_id))
    assert sweep(application, worker_context) == {lost, gone, jobless, waiting, ready}
    monkeypatch.setattr(orphans, "ORPHAN_AGE", timedelta(seconds=-1))
    assert sweep(application, worker_context) == {waiting, ready}
    assert {one.id for one in list_imports(application, caller)} == {waiting, ready}
