"""Budgets of lines: a function fits on a screen, a module in a head, a task's body in a glance."""

from __future__ import annotations

from statistics import median

import pytest

from tests.support.sources import ROOT, functions, lines_of, modules

FUNCTION, MEDIAN, MODULE, BODY = 40, 9, 400, 10


def test_every_function_fits_on_a_screen():
    long = {name: lines_of(node) for name, node in functions() if lines_of(node) > FUNCTION}
    assert long == {}


def test_most_functions_are_small():
    assert median(lines_of(node) for _, node in functions()) <= MEDIAN


@pytest.mark.parametrize("path", list(modules()))
def test_every_module_fits_in_a_head(path):
    assert len((ROOT / path).read_text().splitlines()) <= MODULE


def test_the_bodies_of_tasks_are_a_few_lines():
    bodies = {name: lines_of(node) for name, node in functions() if name.startswith("tasks/") and lines_of(node) > BODY}
    assert bodies == {}
