"""Every loop over organisations lets one fail alone, through `pigi.jobs.execution.isolation`."""

from __future__ import annotations

import ast

from tests.support.sources import FUNCTIONS, modules

MANY = {"organisations", "organisation_ids", "customers", "all_customers", "suspects", "tenants"}
"""What a loop runs over, by name, if it is one over organisations."""
ONE = {"organisation_id", "customer_id"}
"""What its body speaks of, if it is."""
WHERE = ("pigi/operations/", "pigi/cli/", "pigi/processes/", "pigi/jobs/recovery/", "tasks/", "worker/")
BARE = {
    "pigi/operations/access/grants.py:still_granted": "reads the answer of one query",
    "pigi/operations/deletion/account_purge.py:_remove_memberships": "within the transaction that ends them all",
    "pigi/operations/deletion/accounts.py:_solely_owned": "within the transaction that deletes the account",
    "pigi/operations/deletion/accounts.py:close_account": "within the transaction that deletes the account",
    "pigi/operations/deletion/accounts.py:_take_along": "within the transaction that deletes the account",
    "pigi/operations/deletion/accounts.py:restore_account": "within the transaction that restores the account",
    "pigi/operations/billing/customers.py:all_contacts": "reads the answer of one query",
    "pigi/operations/billing/customers.py:address_changed": "within the transaction that changes the address",
    "pigi/operations/billing/reconciliation.py:_subscriptions": "sorts what Stripe lists, and does nothing yet",
}


def names(*nodes: ast.AST) -> set[str]:
    """Every name and attribute within."""
    return {
        getattr(inner, "id", None) or getattr(inner, "attr", "")
        for node in nodes
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name | ast.Attribute)
    }


def is_over_organisations(loop: ast.For) -> bool:
    """By the names of what it runs over, or since its body asks each item whose it is."""
    own = names(loop.target)
    asked = {
        inner.attr
        for step in loop.body
        for inner in ast.walk(step)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id in own
    }
    return bool(own & ONE or names(loop.iter) & MANY or asked & ONE)


def is_isolated(loop: ast.For) -> bool:
    """Whether all that the loop does, but for checkpoints, stands within ``with ISOLATION.of(...)``."""
    rest = [step for step in loop.body if not (isinstance(step, ast.Expr) and "checkpoint" in names(step))]
    return all(
        isinstance(step, ast.With)
        and isinstance(step.items[0].context_expr, ast.Call)
        and isinstance(step.items[0].context_expr.func, ast.Attribute)
        and step.items[0].context_expr.func.attr == "of"
        for step in rest
    )


def loops() -> dict[str, list[ast.For]]:
    found: dict[str, list[ast.For]] = {}
    for path, tree in modules().items():
        for function in ast.walk(tree):
            if path.startswith(WHERE) and isinstance(function, FUNCTIONS):
                mine = [
                    node for node in ast.walk(function) if isinstance(node, ast.For) and is_over_organisations(node)
                ]
                if mine:
                    found[f"{path}:{function.name}"] = mine
    return found


def test_every_loop_over_organisations_isolates_each():
    bare = {place for place, mine in loops().items() if not all(is_isolated(loop) for loop in mine)}
    assert bare == set(BARE)


def test_the_loops_are_found():
    assert "pigi/operations/organisations/organisations.py:request_migrations" in loops()
    assert "pigi/operations/billing/reconciliation.py:_sync_each" in loops()


def test_a_bare_loop_would_be_found():
    bare = "for key in keys:\n    warn(key.organisation_id)"
    isolated = "for one in organisations:\n    context.checkpoint()\n    with isolation.of(one):\n        act(one)"
    (first,), (second,) = ast.parse(bare).body, ast.parse(isolated).body
    assert (is_over_organisations(first), is_isolated(first)) == (True, False)
    assert (is_over_organisations(second), is_isolated(second)) == (True, True)
