"""The stand-in as an API: as strict as Stripe, idempotent, paged, and it outlives a restart."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import timedelta

import pytest
import stripe

from pigi.processes.addresses import answers, any_free
from standins.stripe.faults import FaultyStripe, busy, drop_after, drop_before, fail, hang_after, malformed, slow
from standins.stripe.server import Setup, StripeStandIn
from tests.standins.stripe.client import ask, client_at, client_of, open_session, subscribe
from tests.support.programs import program
from tests.support.stack import until

SESSION = {"mode": "subscription", "success_url": "https://a.example", "line_items[0][price]": "price_team_month"}


@pytest.fixture
def server():
    with FaultyStripe() as made:
        yield made


@pytest.fixture
def client(server):
    return client_of(server)


def refused(call, *arguments):
    with pytest.raises(stripe.StripeError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("key", ["sk_live_x", "pk_test_x", "nonsense"])
def test_a_wrong_key_is_refused(server, key):
    assert isinstance(refused(client_of(server, key).v1.customers.list), stripe.AuthenticationError)


def test_no_key_is_refused_and_basic_is_taken(server):
    version = {"Stripe-Version": "2026-10-28.endive"}
    assert ask(server, "GET", "/v1/account", headers=version)[0].status == 401
    basic = version | {"Authorization": "Basic c2tfdGVzdF94Og=="}
    assert ask(server, "GET", "/v1/account", headers=basic)[0].status == 200


def test_a_restricted_key_may_do_what_it_has_rights_for(server, client):
    customer = client.v1.customers.create()
    server.set_account(rights={"customers": "read", "prices": "none", "event_destinations": "none"})
    restricted = client_of(server, "rk_test_x")
    assert restricted.v1.customers.retrieve(customer.id).id == customer.id
    assert restricted.v1.products.list().data
    for call, *arguments in (
        (restricted.v1.customers.create, {"name": "x"}, {"idempotency_key": "k"}),
        (restricted.v1.customers.delete, customer.id),
        (restricted.v1.prices.list,),
        (restricted.v2.core.event_destinations.list,),
    ):
        error = refused(call, *arguments)
        assert isinstance(error, stripe.PermissionError)
        assert (error.http_status, error.code) == (403, None)
    assert client.v1.prices.list().data
    assert client.v1.customers.create({"name": "x"}, {"idempotency_key": "k"}).id != customer.id


@pytest.mark.parametrize("rights", [{"wares": "none"}, {"prices": "all"}])
def test_there_are_no_other_rights(server, rights):
    with pytest.raises(ValueError, match="no such right"):
        server.set_account(rights=rights)


def test_another_version_of_the_api_is_refused(server):
    assert refused(client_of(server, version="2024-06-20").v1.customers.list).http_status == 400


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        ({"nmae": "x"}, "parameter_unknown", "nmae"),
        ({"address": {"planet": "x"}}, "parameter_unknown", "address[planet]"),
        ({"email": "no address"}, "email_invalid", "email"),
        ({"metadata": {"k" * 41: "x"}}, None, "metadata"),
        ({"metadata": {"k": "x" * 501}}, None, "metadata"),
        ({"tax_exempt": "perhaps"}, None, "tax_exempt"),
        ({"expand": ["nothing"]}, None, "expand[0]"),
    ],
)
def test_parameters_that_the_api_does_not_know_are_refused(client, asked, code, param):
    error = refused(client.v1.customers.create, asked)
    assert isinstance(error, stripe.InvalidRequestError)
    assert (error.http_status, error.code, error.param) == (400, code, param)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"mode": ""}, "parameter_invalid_empty", "mode"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"success_url": "https://a.example;script-src/"}, "url_invalid", "success_url"),
        ({"line_items[0][price]": "price_none"}, "resource_missing", "line_items[0][price]"),
        ({"line_items[0][quantity]": "many"}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"allow_promotion_codes": "yes"}, None, "allow_promotion_codes"),
        ({"payment_method_types[0]": "card"}, "parameter_unknown", "payment_method_types[0]"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
    ],
)
def test_a_checkout_that_makes_no_sense_is_refused(server, change, code, param):
    asked = {**SESSION, "line_items[0][quantity]": "1", **change}
    form = {name: value for name, value in asked.items() if value is not None}
    headers = {"Authorization": "Bearer sk_test_x", "Stripe-Version": "2026-10-28.endive"}
    response, text = ask(server, "POST", "/v1/checkout/sessions", form, headers)
    error = json.loads(text)["error"]
    assert (response.status, error.get("code"), error.get("param")) == (400, code, param)
    assert response.headers["Request-Id"].startswith("req_")


def test_what_is_not_there_is_missing(client):
    for call in (client.v1.customers.retrieve, client.v1.subscriptions.cancel, client.v1.invoices.void_invoice):
        error = refused(call, "x_none")
        assert (error.http_status, error.code) == (404, "resource_missing")
    assert refused(client.raw_request, "get", "/v1/nothing").http_status == 404


def test_an_empty_value_unsets_and_an_empty_key_of_metadata_goes(client):
    made = client.v1.customers.create({"name": "Org", "metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(made.id, {"name": "", "metadata": {"a": ""}})
    assert (changed.name, changed.metadata.to_dict()) == (None, {"b": "2"})
    assert client.v1.customers.update(made.id, {"metadata": ""}).metadata.to_dict() == {}


@pytest.mark.parametrize(
    "metadata", [{"k" * 41: "x"}, {"k": "x" * 501}, {f"k{number}": "x" for number in range(51)}], ids=["k", "v", "n"]
)
def test_metadata_has_limits_wherever_it_is(client, metadata):
    customer = client.v1.customers.create().id
    line = {"price": "price_team_month", "quantity": 1, "metadata": metadata}
    for place, asked in (
        ("metadata", {"metadata": metadata}),
        ("subscription_data[metadata]", {"subscription_data": {"metadata": metadata}}),
        ("line_items[0][metadata]", {"line_items": [line]}),
    ):
        error = refused(lambda given: open_session(client, customer, **given), asked)
        assert (error.http_status, error.param) == (400, place)


def test_events_are_listed_by_twenty_types_at_most(client):
    types = [f"customer.{number}" for number in range(21)]
    assert client.v1.events.list({"types": types[:20]}).data == []
    assert refused(client.v1.events.list, {"types": types}).param == "types"


def test_a_key_has_no_effect_on_a_deletion(client):
    first, second = client.v1.customers.create().id, client.v1.customers.create().id
    options = {"idempotency_key": "k"}
    assert client.v1.customers.delete(first, None, options).deleted
    assert "Idempotent-Replayed" not in client.v1.customers.delete(second, None, options).last_response.headers
    assert refused(client.v1.customers.delete, first, None, options).http_status == 404


def test_the_same_key_gets_the_same_answer(client):
    first = client.v1.customers.create({"name": "Org"}, {"idempotency_key": "k"})
    again = client.v1.customers.create({"name": "Org"}, {"idempotency_key": "k"})
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1
    other = refused(client.v1.customers.create, {"name": "Other"}, {"idempotency_key": "k"})
    assert isinstance(other, stripe.IdempotencyError)


def test_a_key_is_forgotten_after_a_day(server, client):
    first = client.v1.customers.create({"name": "Org"}, {"idempotency_key": "k"})
    server.advance(timedelta(hours=23, minutes=59))
    assert client.v1.customers.create({"name": "Org"}, {"idempotency_key": "k"}).id == first.id
    server.advance(timedelta(minutes=2))
    assert client.v1.customers.create({"name": "Org"}, {"idempotency_key": "k"}).id != first.id


def test_a_refusal_before_the_act_keeps_no_key_and_one_after_it_does(client):
    refused(client.v1.customers.create, {"nmae": "x"}, {"idempotency_key": "k"})
    assert client.v1.customers.create({"name": "x"}, {"idempotency_key": "k"}).id
    gone = client.v1.customers.create().id
    client.v1.customers.delete(gone)
    refused(client.v1.customers.update, gone, {"name": "x"}, {"idempotency_key": "l"})
    again = refused(client.v1.customers.update, gone, {"name": "x"}, {"idempotency_key": "l"})
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_whose_request_is_at_work_conflicts(server, client):
    server.plan("POST", "/v1/customers", slow(60))
    options = {"idempotency_key": "k"}
    first = threading.Thread(target=lambda: client.v1.customers.create({}, options), daemon=True)
    first.start()
    deadline = time.monotonic() + 20
    while not server.account.stored:
        assert time.monotonic() < deadline
    error = refused(client.v1.customers.create, {}, options)
    assert (error.http_status, error.error.type) == (409, "idempotency_error")
    server.closing.set()
    first.join(5)


def test_planned_faults_happen_before_or_after_the_act(server, client):
    def tried(fault, key):
        server.plan("POST", "/v1/customers", fault)
        options = {"idempotency_key": key}
        error = refused(client.v1.customers.create, {}, options)
        before = len(server.objects("customer"))
        client.v1.customers.create({}, options)
        return type(error).__name__, before, len(server.objects("customer"))

    assert tried(busy(7), "a") == ("RateLimitError", 0, 1)
    assert tried(fail(503), "b") == ("APIError", 1, 2)
    assert tried(fail(500, after=True), "c") == ("APIError", 3, 3)
    assert tried(drop_before(), "d") == ("APIConnectionError", 3, 4)
    assert tried(drop_after(), "e") == ("APIConnectionError", 5, 5)
    assert tried(malformed(), "f") == ("APIError", 6, 6)
    assert len(server.asked("POST", "/v1/customers")) == 12


@pytest.mark.parametrize(("after", "customers"), [(False, 0), (True, 1)])
def test_an_error_that_was_kept_is_answered_again(server, client, after, customers):
    server.plan("POST", "/v1/customers", fail(500, after=after, stored=True))
    for _ in range(2):
        refused(client.v1.customers.create, {}, {"idempotency_key": "k"})
    assert len(server.objects("customer")) == customers


def test_an_answer_that_never_comes_still_acts(server):
    server.plan("POST", "/v1/customers", hang_after())
    client = client_at(server.url, http_client=stripe.RequestsClient(timeout=0.3))
    refused(client.v1.customers.create)
    assert len(server.objects("customer")) == 1


def test_lists_have_pages_the_newest_first(server, client):
    ids = [client.v1.customers.create({"email": f"c{n}@example.org"}).id for n in range(5)]
    first = client.v1.customers.list({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (ids[:2:-1], True)
    assert [one.id for one in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == ids[::-1]
    before = client.v1.customers.list({"limit": 2, "ending_before": ids[0]})
    assert ([one.id for one in before.data], before.has_more) == ([ids[2], ids[1]], True)
    assert [one.id for one in client.v1.customers.list({"email": "c3@example.org"}).data] == [ids[3]]
    server.advance(100)
    late = client.v1.customers.create()
    assert [one.id for one in client.v1.customers.list({"created": {"gte": late.created}}).data] == [late.id]
    assert refused(client.v1.customers.list, {"limit": 101}).param == "limit"
    assert refused(client.v1.customers.list, {"starting_after": "cus_none"}).code == "resource_missing"


def test_the_search_lags_a_minute(server, client):
    made = client.v1.customers.create({"metadata": {"organisation": "org_1"}})
    query = {"query": "metadata['organisation']:'org_1'"}
    assert client.v1.customers.search(query).data == []
    server.advance(61)
    assert [one.id for one in client.v1.customers.search(query).data] == [made.id]
    assert client.v1.customers.search({"query": 'metadata["organisation"]:"org_2"'}).data == []
    assert refused(client.v1.customers.search, {"query": "whatever"}).http_status == 400


def test_prices_come_from_the_setup():
    with StripeStandIn(Setup(prices="price_a_month=100:usd:month,price_b=200:usd:year")) as server:
        prices = client_of(server).v1.prices.list({"active": True, "expand": ["data.product"]}).data
        told = {one.id: (one.unit_amount, one.recurring.interval, one.product.name) for one in prices}
        assert told == {"price_a_month": (100, "month", "A"), "price_b": (200, "year", "B")}
    with pytest.raises(ValueError, match="a price must be"):
        StripeStandIn(Setup(prices="price_a=100"))


def test_what_is_asked_to_be_expanded_is_there(server, client):
    bought = subscribe(server, client)
    asked = {"expand": ["latest_invoice.payments", "customer", "items.data.price.product"]}
    found = client.v1.subscriptions.retrieve(bought.id, asked)
    assert found.customer.metadata["organisation"] == "org_1"
    assert found["items"].data[0].price.product.name == "Team"
    intent = found.latest_invoice.payments.data[0].payment.payment_intent
    assert client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge.paid is True
    assert not hasattr(client.v1.invoices.retrieve(bought.latest_invoice), "payments")


def test_all_of_it_outlives_a_restart(tmp_path):
    setup = Setup(state=tmp_path / "standin" / "stripe.json")
    with StripeStandIn(setup) as server:
        client = client_of(server)
        bought = subscribe(server, client)
        client.v1.customers.create({}, {"idempotency_key": "k"})
        session = open_session(client, bought.customer)
        server.advance(timedelta(hours=3))
        then = server.state()
    assert setup.state.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in setup.state.parent.iterdir()] == ["stripe.json"]
    with StripeStandIn(setup) as server:
        now = server.state()
        assert now["counts"] == then["counts"]
        assert now["objects"]["subscription"] == then["objects"]["subscription"]
        assert now["now"] - then["now"] in range(60)
        client = client_of(server)
        assert client.v1.subscriptions.retrieve(bought.id).status == "active"
        assert client.v1.checkout.sessions.retrieve(session.id).url == f"{server.url}/pay/{session.id}"
        assert client.v1.customers.create({}, {"idempotency_key": "k"}).last_response.headers["Idempotent-Replayed"]


def test_a_process_serves_and_says_nothing():
    port = any_free()
    with program("standins.stripe", "--port", str(port)) as process:
        until(lambda: answers("127.0.0.1", port, "/healthz"), 20, "it answers")
        client = client_at(f"http://127.0.0.1:{port}")
        customer = client.v1.customers.create({"name": "planted"})
        assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/pay/cs_test_\w{{58}}", open_session(client, customer.id).url)
        process.terminate()
        assert process.communicate(timeout=10)[0] == b""
