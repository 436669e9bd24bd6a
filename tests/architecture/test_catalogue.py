"""The catalogue of kinds is what workers, queues, timetable and Celery's settings agree on."""

from __future__ import annotations

import ast
import json

import pytest
from celery.app.defaults import NAMESPACES, flatten

import celeryconfig
from pigi.jobs import kinds
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.queues import POOLS, QUEUES, queues_of
from schedules.timetable import TIMETABLE
from tests.support.sources import modules, python

SETTINGS = {
    target.id
    for node in modules()["celeryconfig.py"].body
    if isinstance(node, ast.Assign)
    for target in node.targets
    if isinstance(target, ast.Name) and not target.id.startswith("_")
}


def test_a_worker_registers_exactly_the_kinds_of_the_catalogue():
    names = "json.dumps([n for n in app.tasks if not n.startswith('celery.')])"
    registered = json.loads(python(f"import json; from worker.app import app; print({names})"))
    assert sorted(registered) == sorted(CATALOGUE)


def test_every_queue_is_consumed_by_one_pool_and_every_pool_consumes():
    consumed = [queue for pool in POOLS for queue in queues_of(pool)]
    assert sorted(consumed) == sorted(QUEUES)
    assert all(queues_of(pool) for pool in POOLS)


def test_every_queue_has_a_kind():
    assert {kind.queue for kind in CATALOGUE.values()} == set(QUEUES)


def test_celery_listens_to_exactly_the_queues():
    assert [queue.name for queue in celeryconfig.task_queues] == list(QUEUES)
    assert celeryconfig.task_default_queue in QUEUES


def test_the_timetable_names_kinds_of_the_catalogue():
    assert {schedule.name for schedule in TIMETABLE} <= set(CATALOGUE)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_celery_knows_every_setting_by_its_name(name):
    assert name in dict(flatten(NAMESPACES))


def test_the_settings_were_found():
    assert {"broker_url", "task_queues", "beat_scheduler"} <= SETTINGS


def test_settings_that_no_recovery_may_depend_on_are_off():
    assert celeryconfig.broker_transport_options["ack_emulation"] is False
    assert celeryconfig.result_backend is None
    assert celeryconfig.task_acks_late is False
    assert celeryconfig.worker_enable_remote_control is False
    assert celeryconfig.worker_send_task_events is False
    assert celeryconfig.task_create_missing_queues is False
    assert (celeryconfig.timezone, celeryconfig.enable_utc) == ("UTC", True)
    assert celeryconfig.accept_content == ["json"]


KIND_NAMES = {name for name, value in vars(kinds).items() if isinstance(value, kinds.Kind)}
COMPARING = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


def is_kind(node):
    """Whether it names a kind or its wire name, also as one of several."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
        return any(is_kind(child) for child in ast.iter_child_nodes(node))
    if isinstance(node, ast.Constant):
        return node.value in CATALOGUE
    if isinstance(node, ast.Attribute) and node.attr == "name":
        return is_kind(node.value)
    return isinstance(node, ast.Name | ast.Attribute) and (
        getattr(node, "id", None) in KIND_NAMES or getattr(node, "attr", None) in KIND_NAMES
    )


def tells_apart(node):
    """Whether it compares with a kind, or looks something up by one."""
    if isinstance(node, ast.Compare):
        compared = any(isinstance(operator, COMPARING) for operator in node.ops)
        return compared and any(is_kind(side) for side in [node.left, *node.comparators])
    if isinstance(node, ast.MatchValue):
        return is_kind(node.value)
    if isinstance(node, ast.Dict):
        return any(key is not None and is_kind(key) for key in node.keys)
    return False


def test_no_other_module_tells_kinds_apart():
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        if path != "pigi/jobs/kinds.py"
        for node in ast.walk(tree)
        if tells_apart(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "kind is SEND_MAIL",
        "job.kind == GENERATE_DRAFT.name",
        "job.kind in ('mail.send', 'x')",
        "kinds.SEND_MAIL != kind",
        "{'generations.draft': 1}",
        "{SEND_MAIL.name: send}",
    ],
)
def test_a_module_that_told_kinds_apart_would_be_found(code):
    assert any(tells_apart(node) for node in ast.walk(ast.parse(code)))


def test_asking_for_a_kind_is_no_offence():
    assert not any(tells_apart(node) for node in ast.walk(ast.parse("enqueue(session, None, SEND_MAIL, subject_id=x)")))
