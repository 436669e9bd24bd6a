"""Plans' limits are enforced in one place, and stand only where something is added."""

from __future__ import annotations

import ast

from tests.support.sources import called, calls, functions, modules

ENTITLEMENTS = "pigi/operations/plans/entitlements.py"
QUOTAS = "pigi/operations/plans/quotas.py"
CONFIGURATION = "pigi/operations/configuration"
MAY: dict[str, set[str]] = {
    "check_room": {
        f"{ENTITLEMENTS}:check_members",
        f"{ENTITLEMENTS}:check_resources",
        f"{ENTITLEMENTS}:judge",
        f"{QUOTAS}:_judge_growth",
    },
    "_judge_growth": {f"{QUOTAS}:count_write", f"{QUOTAS}:check_storage"},
    # Archiving and deleting are counted and never refused: they give no plan.
    "count_write": {
        f"{CONFIGURATION}/histories.py:add_histories",
        f"{CONFIGURATION}/projects.py:_move",
        f"{CONFIGURATION}/projects.py:change_project",
        f"{CONFIGURATION}/projects.py:create_project",
        f"{CONFIGURATION}/resources.py:_move",
        f"{CONFIGURATION}/revisions.py:add_resource",
        f"{CONFIGURATION}/revisions.py:add_revision",
        f"{CONFIGURATION}/removal.py:_remove",
    },
    "check_storage": {"pigi/operations/imports/acceptance.py:_check_room"},
    "judge": {f"{ENTITLEMENTS}:check_usage", f"{ENTITLEMENTS}:count_usage"},
    "check_usage": {"pigi/operations/generations/generations.py:_allowed"},
    "count_usage": {
        "pigi/operations/generations/generations.py:request_generation",
        # Without a plan: these limits protect Stripe, and whoever pays is not stopped by them.
        "pigi/operations/billing/overview.py:_request",
    },
    "check_members": {
        "pigi/operations/organisations/invitations.py:invite",
        "pigi/operations/organisations/invitations.py:_enter",
    },
    "check_resources": {
        "pigi/operations/configuration/projects.py:_move",
        "pigi/operations/configuration/revisions.py:leave_room",
        # Before anything is imported; the rest of the way each batch leaves room for itself.
        "pigi/operations/imports/acceptance.py:_check_room",
    },
    "leave_room": {
        "pigi/operations/configuration/revisions.py:add_resource",
        "pigi/operations/configuration/resources.py:_move",
        "pigi/operations/configuration/histories.py:add_histories",
    },
    "add_histories": {"pigi/operations/imports/acceptance.py:_write"},
    "add_resource": {
        "pigi/operations/configuration/resources.py:create_resource",
        "pigi/operations/generations/acceptance.py:_put",
    },
}
"""Who may stop something for want of a better plan: what invites, joins, creates, brings back, accepts a draft or an
import, or asks for a draft; and what changes configuration, for want of bytes or writes a day alone. Reading,
exporting, archiving, revoking, leaving and deleting are not among them."""


def users(name: str) -> set[str]:
    """The functions that name it, to call it or to hand it on."""
    return {
        place
        for place, function in functions()
        for node in ast.walk(function)
        if (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)
    }


def test_nothing_but_what_adds_something_is_stopped():
    assert {name: users(name) for name in MAY} == MAY


def test_no_limit_goes_by_another_name():
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                renamed = {alias.name for alias in node.names if alias.asname not in {None, alias.name}}
                assert not renamed & MAY.keys(), path


def test_one_function_refuses_for_want_of_a_better_plan():
    raising = {
        (path, function)
        for path, call in calls()
        if called(call) == "Refused"
        and any(isinstance(node, ast.Constant) and node.value == "plan_limit" for node in ast.walk(call))
        for function, tree in functions()
        if call in ast.walk(tree)
    }
    assert raising == {(ENTITLEMENTS, f"{ENTITLEMENTS}:check_room")}


def test_the_code_is_written_nowhere_else_but_in_tables_and_declarations():
    written = {
        path
        for path, tree in modules().items()
        if path.startswith("pigi/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "plan_limit"
    }
    assert written == {ENTITLEMENTS, "pigi/domain/reasons/configuration.py"}
