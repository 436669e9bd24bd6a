"""What the build refuses: a promise that nothing checks, a control that cannot fail, evidence that counts too long."""

from __future__ import annotations

import ast
import inspect
import pkgutil

import pytest

from pigi.domain.controls import EVERY, GROUPS, SHOWS_WITHIN, Evidence
from pigi.domain.policy import shipped_policy
from pigi.domain.promises import PROMISES
from pigi.operations.promises import all_controls
from tests.support.promises import by_promise, planted

PROBED = [control for control in all_controls().values() if control.kind is not Evidence.ATTESTED]


def test_every_promise_has_a_control_with_a_probe():
    assert set(by_promise()) == set(PROMISES)


def test_every_sentence_of_the_policy_that_rests_on_a_control_has_one():
    probed, attested = set(by_promise()), {one.promise for one in all_controls().values()}
    sentences = [one for section in shipped_policy().sections for one in section.sentences]
    bound = {"control": probed, "attested": probed | attested}
    bare = [one.id for one in sentences if one.basis in bound and not set(one.promises) & bound[one.basis]]
    assert (bare, len(sentences) > len(PROMISES)) == ([], True)


def test_every_probe_has_a_planted_violation_and_every_attested_control_has_no_probe():
    assert set(planted()) == {control.name for control in PROBED}
    assert all(control.probe is None for control in all_controls().values() if control.kind is Evidence.ATTESTED)


def test_every_group_is_checked_and_every_control_says_what_it_does_not_show():
    assert all(
        control.shows.endswith(".") and control.does_not_show.endswith(".") for control in all_controls().values()
    )
    assert len(set(GROUPS)) == len(GROUPS)


def test_a_finding_goes_stale_within_a_quarter_of_an_hour():
    assert all(2 * EVERY < control.valid <= SHOWS_WITHIN for control in PROBED)


@pytest.mark.parametrize("control", PROBED, ids=lambda control: control.name)
def test_a_control_that_cannot_fail_is_refused(control):
    assert can_fail(control.probe)


def test_what_can_only_say_yes_is_recognised():
    assert not can_fail(_always)
    assert not can_fail(_always_in_words)
    assert can_fail(_sometimes)


def _always(_application):
    return Finding(True, "fine")


def _always_in_words(application):
    return Finding(holds=not False, evidence=f"{application}")


def _sometimes(application):
    return Finding(not application, "looked at")


class Finding:
    """Stands for the real one: the functions above are read, not called."""


def can_fail(probe, seen=()):
    """Whether a probe, or a function of its module that it calls, makes a finding that is not always one that holds."""
    function = pkgutil.resolve_name(probe) if isinstance(probe, str) else probe
    module = inspect.getmodule(function)
    tree = ast.parse(inspect.getsource(function).lstrip())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    if any(node.func.id == "Finding" and not _is_certain(node) for node in calls):
        return True
    called = {node.func.id for node in calls} - {*seen, function.__name__}
    own = [getattr(module, name, None) for name in called]
    return any(
        inspect.isfunction(one) and inspect.getmodule(one) is module and can_fail(one, (*seen, *called)) for one in own
    )


def _is_certain(call):
    """Whether its first argument is True whatever is found: it has no name in it that could say otherwise."""
    said = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "holds")][0]
    if any(isinstance(node, (ast.Name, ast.Call)) for node in ast.walk(said)):
        return False
    return bool(eval(compile(ast.Expression(said), "finding", "eval"), {}))  # noqa: S307 - constants alone
