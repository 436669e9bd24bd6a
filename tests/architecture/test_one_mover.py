"""Only `pigi.jobs.model.transitions` moves a job from state to state."""

from __future__ import annotations

import ast

from tests.support.sources import called, calls, modules

MOVES = "pigi/jobs/model/transitions.py"
# These have states of their own.
OTHERS = {
    "pigi/jobs/effects.py": {"EFFECT"},
    "pigi/operations/deletion/account_purge.py": {"ACCOUNT"},
    "pigi/operations/deletion/accounts.py": {"ACCOUNT"},
    "pigi/operations/deletion/records.py": {"DELETION"},
    "pigi/operations/deletion/steps.py": {"STEP"},
    "pigi/operations/exports/exports.py": {"EXPORT"},
    "pigi/operations/mail/ledger.py": {"MAIL", "told"},
    "pigi/operations/privacy_requests/answering.py": {"REQUEST", "this"},
    "pigi/operations/privacy_requests/making.py": {"REQUEST", "withdrawn"},
    "pigi/operations/operators/operators.py": {"ACCOUNT"},
    "pigi/operations/promises/rounds.py": {"ACCOUNT", "ORGANISATION"},
    "pigi/operations/organisations/organisations.py": {"Organisation"},
    "pigi/operations/imports/imports.py": {"IMPORT"},
    "pigi/operations/backups/erasing.py": {"ORGANISATION"},
    "pigi/operations/configuration/projects.py": {"PROJECT"},
    "pigi/operations/configuration/resources.py": {"RESOURCE"},
}
INSERTS = {"pigi/jobs/queueing/enqueue.py"}


def names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def sets_state(node: ast.Call) -> bool:
    keywords = {keyword.arg for keyword in node.keywords}
    keys = {key.value for inner in ast.walk(node) if isinstance(inner, ast.Dict) for key in inner.keys
            if isinstance(key, ast.Constant)}  # fmt: skip
    return "state" in keywords | keys


def test_no_statement_elsewhere_sets_the_state_of_a_job():
    found = [
        f"{path}:{node.lineno}"
        for path, node in calls()
        if called(node) == "values" and sets_state(node) and not names_in(node) & OTHERS.get(path, set())
    ]
    assert [place for place in found if not place.startswith(MOVES)] == []
    assert found


def test_raw_sql_changes_no_job():
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "UPDATE job" not in node.value.replace('"', ""), path


def test_jobs_are_not_changed_through_the_orm():
    for path, tree in modules().items():
        for node in ast.walk(tree):
            for target in getattr(node, "targets", []) if isinstance(node, ast.Assign) else []:
                assert not (isinstance(target, ast.Attribute) and target.attr == "state"), f"{path}:{node.lineno}"


def test_only_the_mover_writes_where_a_lease_ends_or_a_bell_was_rung():
    columns = {"lease_token", "lease_until", "finished_at", "attempt"}
    for path, node in calls():
        if called(node) == "values" and path not in {MOVES, *INSERTS}:
            assert not columns & {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
