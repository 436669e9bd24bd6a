"""The kinds of the audit chain are those that the code records."""

from __future__ import annotations

import ast
import re

import pytest

from pigi.domain.audit import KINDS
from tests.support.sources import called, calls, modules

FORM = re.compile(r"[a-z]+\.[a-z_]+")


def words(node: ast.AST) -> set[str]:
    return {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)}


def test_every_act_that_is_recorded_is_of_a_known_kind():
    recorded = [node for _, node in calls() if called(node) == "record" and len(node.args) > 3]
    assert len(recorded) > 10
    assert set().union(*(words(node.args[2]) for node in recorded)) <= set(KINDS)


def test_no_kind_is_left_over():
    used = set().union(*(words(tree) for path, tree in modules().items() if path != "pigi/domain/audit.py"))
    assert set(KINDS) <= used


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_fits_its_column(kind):
    assert FORM.fullmatch(kind)
    assert len(kind) <= 40
