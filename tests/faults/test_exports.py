"""kill -9 in the middle of an export, again and again: one file, and the one that a quiet worker writes."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

from pigi.application import Application
from pigi.domain.access import Caller, Role
from pigi.ids import new_id
from pigi.operations.configuration import create_project, create_resource
from tests.support import exports
from tests.support.furnished import renamed
from tests.support.stack import HELD_WORKER, until

if TYPE_CHECKING:
    from tests.support.stack import Stack

KILLS = 3


def test_an_export_whose_worker_is_killed_three_times_is_the_same_file(stack: Stack) -> None:
    application = Application.open(stack.settings)
    caller = Caller(stack.another_organisation(), Role.OWNER, new_id())
    project = create_project(application, caller, "Shop").id
    for _ in range(40):
        create_resource(application, caller, project, "document", renamed("document"))
    holds = stack.settings.home / "holds"
    holds.mkdir(exist_ok=True)
    (holds / "exports").touch()
    stack.worker(pool="slow", children=1, app=HELD_WORKER)
    try:
        job = exports.request(application, caller)
        for attempt in range(1, KILLS + 1):
            mark = holds / f"part-{attempt}"
            pid = int(until(lambda mark=mark: mark.exists() and mark.read_text(), 30, f"part of attempt {attempt}"))
            os.kill(pid, signal.SIGKILL)
            stack.lapse(job.id)
        (view,) = stack.wait([job.id])
        (holds / "exports").unlink()
        quiet = exports.request(application, caller)
        stack.wait([quiet.id])
    finally:
        stack.forget("worker-slow")
    assert (view.state, view.attempt, [effect.state for effect in view.effects]) == ("succeeded", KILLS + 1, ["done"])
    export = exports.export_of(application, job)
    assert {part.attempt for part in export.parts} == set(range(1, KILLS + 2))
    assert _undated(exports.file_of(application, job)) == _undated(exports.file_of(application, quiet))
    application.dispose()


def _undated(data: bytes) -> Any:
    return {**json.loads(data), "exported_at": None}
