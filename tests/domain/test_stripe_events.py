"""Stripe's events in both forms, and what pretends to be one."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.stripe_events import HANDLED, StripeEvent, read_event, read_id

SNAPSHOT = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "created": 1_780_000_000,
    "livemode": False,
    "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}},
}
THIN = {
    "id": "evt_2",
    "object": "v2.core.event",
    "type": "v1.customer.subscription.updated",
    "created": "2026-05-28T20:26:40.123Z",
    "livemode": False,
    "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    ("id",), ("object",), ("type",), ("created",), ("livemode",), ("data",), ("data", "object"),
    ("data", "object", "id"), ("data", "object", "object"), ("data", "object", "customer"),
    ("related_object",), ("related_object", "id"), ("related_object", "type"),
]  # fmt: skip


STRANGE = [
    ("coupon.created", {"id": "SUMMER-20", "object": "coupon"}),
    ("plan.created", {"id": "gold-monthly", "object": "plan"}),
    ("product.updated", {"id": "Größe L (new)", "object": "product"}),
    ("account.application.deauthorized", {"id": ["a", "list"], "object": "application"}),
    ("balance.available", "no object at all"),
]
IMPORTED = ["cus-1:old/1", "42", "paula+shop@example.com", "legacy customer", "x" * 81, "..", "é", 42, ["cus_1"], {}]


def event(about: dict | None = None, **others: object) -> StripeEvent:
    """A snapshot with some of it replaced, as it is read."""
    return read_event({**SNAPSHOT, **({} if about is None else {"data": {"object": about}}), **others})


def test_a_snapshot_says_which_when_and_about_whom():
    created = datetime.fromtimestamp(1_780_000_000, UTC)
    assert read_event(SNAPSHOT) == StripeEvent("evt_1", "invoice.paid", created, False, "cus_1", "in_1")


def test_a_thin_event_says_what_it_is_about_and_not_whom():
    created = datetime(2026, 5, 28, 20, 26, 40, 123_000, UTC)
    wanted = StripeEvent("evt_2", "customer.subscription.updated", created, False, None, "sub_1", thin=True)
    assert read_event(THIN) == wanted


def test_a_customer_is_found_in_each_place_where_stripe_puts_it():
    assert event({"id": "cus_2", "object": "customer"}).customer_id == "cus_2"
    assert event({"id": "in_1", "object": "invoice", "customer": {"id": "cus_3", "name": "Zoë"}}).customer_id == "cus_3"
    assert event({"id": "in_1", "object": "invoice", "customer": None}).customer_id is None
    about = {"id": "cus_4", "type": "customer"}
    assert read_event({**THIN, "type": "v1.customer.updated", "related_object": about}).customer_id == "cus_4"


def test_nothing_else_of_what_it_holds_is_kept():
    about = {"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "zoe@example.com"}
    assert "zoe" not in repr(event(about))


def test_what_may_change_something_is_heeded_and_nothing_else():
    assert all(event(type=name).handled for name in HANDLED)
    assert event(type="customer.subscription.trial_will_end").handled
    assert not any(
        event(type=name).handled for name in ("payout.paid", "customer.source.created", "invoiceitem.created")
    )


@pytest.mark.parametrize(("sort", "about"), STRANGE)
def test_what_an_event_that_is_not_heeded_is_about_does_not_matter(sort, about):
    found = read_event({**SNAPSHOT, "type": sort, "data": {"object": about}})
    assert (found.id, found.type, found.handled) == ("evt_1", sort, False)
    assert (found.customer_id, found.object_id) == (None, None)


@pytest.mark.parametrize("related", [None, {"id": "acct 1", "type": "v2.core.account"}, "acct_1"])
def test_a_type_with_brackets_is_an_event(related):
    found = read_event({**THIN, "type": "v2.core.account[identity].updated", "related_object": related})
    assert (found.type, found.handled, found.object_id) == ("v2.core.account[identity].updated", False, None)


@pytest.mark.parametrize(
    "sort", ["", "a" * 201, "invoice.paid\n", "invoice\x00paid", "zahlung.ü", None, 5, ["invoice"]]
)
def test_a_type_that_cannot_be_printed_or_has_no_end_is_none(sort):
    for whole in (SNAPSHOT, THIN):
        with pytest.raises(ValueError, match="not an event"):
            read_event({**whole, "type": sort})


def test_a_sort_of_subscriptions_change_that_would_not_fit_is_not_heeded():
    assert event(type="customer.subscription." + "a" * 58).handled
    assert not event(type="customer.subscription." + "a" * 59).handled
    assert not event(type="customer.subscription.[odd]").handled


@pytest.mark.parametrize("name", ["cus-1:old/1", "42", "paula+shop@example.com"])
def test_customers_keep_the_ids_that_they_brought_with_them(name):
    assert event({"id": "in_1", "object": "invoice", "customer": name}).customer_id == name
    assert event({"id": name, "object": "customer"}, type="customer.updated").customer_id == name


@pytest.mark.parametrize("whole", [SNAPSHOT, THIN], ids=["snapshot", "thin"])
@pytest.mark.parametrize("name", IMPORTED)
def test_an_odd_id_of_what_it_is_about_refuses_no_event(whole, name):
    if whole is THIN:
        found = read_event({**THIN, "related_object": {"id": name, "type": "customer"}})
    else:
        found = event({"id": name, "object": "invoice", "customer": name})
    assert found.handled
    for one in (found.customer_id, found.object_id):
        assert one in (name, None)
        assert one is None or fits(one)


def fits(name: str) -> bool:
    """Whether a column takes it, and no address is led astray by it."""
    return 0 < len(name) <= 80 and name.isascii() and name.isprintable() and " " not in name and name.strip(".") != ""


@given(st.text(max_size=90))
def test_an_id_is_taken_whole_or_not_at_all(name):
    assert read_id(name) == (name if fits(name) else None)


@pytest.mark.parametrize("name", ["", "evt-1", "evt 1", "e" * 81, "évt", None, 5])
@pytest.mark.parametrize("whole", [SNAPSHOT, THIN], ids=["snapshot", "thin"])
def test_its_own_id_has_stripes_form(whole, name):
    for sort in (whole["type"], "coupon.created"):
        with pytest.raises(ValueError, match="not an event"):
            read_event({**whole, "type": sort, "id": name})


def test_stripe_lists_all_that_is_heeded_in_one_request():
    assert len(HANDLED) <= 20


@given(VALUES)
def test_rubbish_is_no_event(value):
    with pytest.raises(ValueError, match=r".*"):
        read_event(value)


@given(st.sampled_from([SNAPSHOT, THIN]), st.sampled_from(PLACES), VALUES)
def test_an_event_with_rubbish_in_it_is_none_or_well_formed(whole, place, value):
    made = copy.deepcopy(whole)
    inner = made
    for name in place[:-1]:
        inner = inner.setdefault(name, {})
    inner[place[-1]] = value
    try:
        found = read_event(json.loads(json.dumps(made)))
    except ValueError:
        return
    assert found.id.isascii()
    assert len(found.id) <= 80
    assert found.created_at.tzinfo is UTC
    assert found.livemode in {True, False}
    assert all(one is None or fits(one) for one in (found.customer_id, found.object_id))
    assert found.type.isprintable()


@pytest.mark.parametrize("place", ["id", "object", "type", "created", "livemode"])
@pytest.mark.parametrize("whole", [SNAPSHOT, THIN], ids=["snapshot", "thin"])
def test_each_of_its_facts_is_needed(whole, place):
    with pytest.raises(ValueError, match="not an event"):
        read_event({name: value for name, value in whole.items() if name != place})


@pytest.mark.parametrize("created", [10**20, -(10**20), True, "1780000000", None, 1.5])
def test_a_moment_that_is_none_is_no_events(created):
    with pytest.raises(ValueError, match=r".*"):
        event(created=created)
