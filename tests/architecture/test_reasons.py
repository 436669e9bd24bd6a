"""Every code that Pigi can show has its sentence and its advice, and every sentence has a code that is raised."""

from __future__ import annotations

import ast

import pytest

from pigi.domain.reasons import REASONS, explain
from tests.support.sources import called, calls, functions, modules

RAISED = {"Refused": 0, "Temporary": 0, "Permanent": 0, "Ended": 1, "Again": 0, "again_or_failed": 2}
"""What takes a code, and as which argument."""
WRITTEN = "pigi/domain/reasons/"
UNUSED = {"deadline_passed", "kind_unknown"}
"""Codes with a sentence that nothing raises (yet)."""


def constants(node: ast.AST) -> set[str]:
    return {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)}


def codes() -> dict[str, str]:
    """Each code that is written in the sources, with a place."""
    found: dict[str, str] = {}
    for path, node in calls():
        name = called(node)
        given = [keyword.value for keyword in node.keywords if keyword.arg in {"reason", "code"}]
        if name in RAISED and len(node.args) > RAISED[name]:
            given.append(node.args[RAISED[name]])
        for value in given:
            found |= dict.fromkeys(constants(value), f"{path}:{node.lineno}")
    for name, function in functions():
        if function.name.startswith("_code"):
            returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
            found |= {code: name for node in returns for code in constants(node)}
    return found


def test_every_code_that_is_raised_has_its_reason():
    assert {code: place for code, place in codes().items() if code not in REASONS} == {}


def test_the_scan_finds_the_codes_that_are_known():
    assert {"not_found", "malformed", "worker_lost", "handed_back", "purpose_gone", "database_away"} <= codes().keys()


def test_no_reason_is_left_over():
    used = set().union(*(constants(tree) for path, tree in modules().items() if not path.startswith(WRITTEN)))
    assert {code for code in REASONS if code not in used} == UNUSED


def test_no_code_is_in_two_areas():
    areas = [tree for path, tree in modules().items() if path.startswith(WRITTEN)]
    keys = [
        key.value
        for tree in areas
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    ]
    assert sorted(keys) == sorted(REASONS)


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_says_what_happened_and_what_to_do(code):
    reason = explain(code)
    assert reason.title.endswith(".")
    assert reason.advice.endswith(".")
    assert len(code) <= 40
    assert code.replace("_", "").isalpha()


def test_an_unknown_code_is_a_programming_error():
    with pytest.raises(KeyError):
        explain("no_such_code")
