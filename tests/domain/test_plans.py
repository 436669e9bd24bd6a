"""Plans: how STRIPE_PRICES and PIGI_PLANS are read, and what an organisation has by the name of a plan."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.plans import FREE, MOST, PLANS, UNMETERED, Limit, Plans
from pigi.errors import Misconfigured
from tests.support.factories import make_settings

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [plan.name for plan in PLANS]
PAID = [name for name in NAMES if name != FREE]
prices = st.dictionaries(st.from_regex(r"price_[A-Za-z0-9]{1,20}", fullmatch=True), st.sampled_from(PAID), min_size=1)
limits = st.dictionaries(st.sampled_from([limit.value for limit in Limit]), st.integers(0, MOST))


def plans_of(tmp_path: Path | str, stripe_prices: str = "", plans: str = "") -> Plans:
    return Plans.from_settings(make_settings(tmp_path, "", "", stripe_prices=stripe_prices, plans=plans))


@given(prices, st.sampled_from([",", " , ", "\n", ",\n\t"]))
def test_each_price_buys_the_plan_that_it_names(by_price: dict[str, str], between: str) -> None:
    found = plans_of("nowhere", between.join(f"{price}={name}" for price, name in by_price.items()))
    assert list(found.by_price.items()) == list(by_price.items())
    assert found.charged
    assert [plan.name for plan, _ in found.offered] == [name for name in NAMES if name in by_price.values()]
    assert {price: plan.name for plan, bought in found.offered for price in bought} == by_price


@given(st.dictionaries(st.sampled_from(NAMES), limits))
def test_what_pigi_plans_names_is_changed_and_the_rest_stays(chosen: dict[str, dict[str, int]]) -> None:
    found = plans_of("nowhere", "price_t=team", json.dumps(chosen))
    for usual in PLANS:
        plan, own = found.named(usual.name), chosen.get(usual.name, {})
        assert (plan.name, plan.title, plan.rank) == (usual.name, usual.title, usual.rank)
        assert {limit: plan.most(limit) for limit in Limit} == {
            limit: own.get(limit.value, usual.most(limit)) for limit in Limit
        }


def test_without_prices_nothing_is_limited_but_what_fills_the_machine(tmp_path: Path) -> None:
    found = plans_of(tmp_path, plans='{"free": {"members": 1}}')
    assert not found.charged
    assert found.usual is found.named(None) is found.named("unmetered") is UNMETERED
    assert found.offered == []
    assert {limit for limit in Limit if UNMETERED.most(limit) is not None} == {Limit.BYTES, Limit.WRITES}


def test_whoever_charges_nobody_chooses_how_much_is_stored_and_written(tmp_path: Path) -> None:
    found = plans_of(tmp_path, plans='{"unmetered": {"bytes": 2000000000000}}')
    assert found.usual.most(Limit.BYTES) == 2_000_000_000_000
    assert found.usual.most(Limit.WRITES) == UNMETERED.most(Limit.WRITES)


def test_with_prices_whoever_bought_nothing_has_the_free_plan(tmp_path: Path) -> None:
    found = plans_of(tmp_path, "price_t=team")
    assert found.usual == found.named(None) == found.named(FREE)
    assert found.usual.most(Limit.MEMBERS) == 5


def test_a_plan_that_the_installation_no_longer_has_is_the_usual_one(tmp_path: Path) -> None:
    assert plans_of(tmp_path, "price_t=team").named("platinum").name == FREE
    assert plans_of(tmp_path, "price_t=team").named("unmetered") is UNMETERED


def test_plans_are_offered_from_the_least_to_the_best_with_their_prices_as_listed(tmp_path: Path) -> None:
    found = plans_of(tmp_path, "price_b=business,price_y=team,price_m=team")
    assert [(plan.name, bought) for plan, bought in found.offered] == [
        ("team", ["price_y", "price_m"]),
        ("business", ["price_b"]),
    ]


def test_a_better_plan_allows_more_of_everything() -> None:
    for less, more in pairwise(sorted(PLANS, key=lambda plan: plan.rank)):
        assert all((less.most(limit) or 0) < (more.most(limit) or 0) for limit in Limit)


@pytest.mark.parametrize(
    "text",
    [
        "price_t",
        "price_t=",
        "=team",
        "price_t=platinum",
        "price_t=free",
        "price_t=unmetered",
        "price-t=team",
        "price_t=team=team",
        "price_t=team;price_b=business",
        "price_t=team,price_t=team",
        "price_t=team,price_t=business",
        f"{'p' * 81}=team",
        "prïce=team",
    ],
)
def test_prices_that_cannot_be_read_stop_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match=r"STRIPE_PRICES must be .* plans are team, business"):
        plans_of(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "free",
        "[]",
        "1",
        "null",
        '"free"',
        '{"free": 1}',
        '{"free": []}',
        '{"free": {"members": "3"}}',
        '{"free": {"members": 3.5}}',
        '{"free": {"members": true}}',
        '{"free": {"members": null}}',
        '{"free": {"members": -1}}',
        f'{{"free": {{"members": {MOST + 1}}}}}',
        '{"free": {"seats": 3}}',
        '{"free": {"members": NaN}}',
    ],
)
def test_limits_that_cannot_be_read_stop_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match="PIGI_PLANS"):
        plans_of(tmp_path, "price_t=team", text)


def test_each_limit_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        plans_of(tmp_path, "price_t=team", '{"free": {"seats": 3}, "team": {"members": -1}}')
    assert "free has no limit 'seats'" in str(raised.value)
    assert "members of team must be a whole number" in str(raised.value)


def test_a_plan_that_does_not_exist_cannot_be_limited(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no plan 'platinum'; there are free, team, business"):
        plans_of(tmp_path, "price_t=team", '{"platinum": {}}')
