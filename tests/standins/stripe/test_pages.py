"""The stand-in's pages and controls: people pay on them, nothing runs in them, no other site reaches them."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
import stripe

from standins.stripe.server import StripeStandIn
from tests.standins.stripe.client import CANCEL, SUCCESS, ask, client_of, open_session, subscribe

PAYER = {"name": "Ada Payer", "email": "a@example.org", "country": "FR", "line1": "x", "city": "y", "postal_code": "1"}
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def server():
    with StripeStandIn() as made:
        yield made


@pytest.fixture
def client(server):
    return client_of(server)


def path_of(url):
    return re.sub(r"^http://[^/]+", "", url)


def portal_of(client, customer, **more):
    return path_of(client.v1.billing_portal.sessions.create({"customer": customer, **more}).url)


def test_paying_on_the_page_leads_to_the_success_url(server, client):
    success = f"{SUCCESS}?session={{CHECKOUT_SESSION_ID}}"
    customer = client.v1.customers.create({"email": "org@example.org"})
    session = open_session(client, customer.id, success_url=success, customer_update={"address": "auto"})
    page, html = ask(server, "GET", path_of(session.url))
    assert "Team, 49.00 EUR a month" in html
    assert "form-action 'self' https://pigi.example" in page.headers["Content-Security-Policy"]
    assert f'href="{CANCEL}"' in html
    done, _ = ask(server, "POST", path_of(session.url), {**PAYER, "card": "good"})
    assert (done.status, done.headers["Location"]) == (303, f"{SUCCESS}?session={session.id}")
    assert client.v1.customers.retrieve(customer.id).address.country == "FR"
    assert client.v1.subscriptions.list({"customer": customer.id}).data[0].status == "active"
    assert ask(server, "GET", path_of(session.url))[0].status == 410


@pytest.mark.parametrize(("card", "words"), [("declined", "declined"), ("incomplete", "confirmation")])
def test_a_card_that_does_not_pay_says_so_and_the_page_stays(server, client, card, words):
    session = open_session(client, client.v1.customers.create().id)
    page, html = ask(server, "POST", path_of(session.url), {**PAYER, "card": card})
    assert page.status == 402
    assert words in re.search(r'role="alert">([^<]+)', html)[1]
    done, _ = ask(server, "POST", path_of(session.url), {**PAYER, "card": "good"})
    assert done.status == 303


def test_the_portal_changes_the_plan(server, client):
    bought = subscribe(server, client)
    portal = portal_of(client, bought.customer, return_url="https://pigi.example/billing")
    html = ask(server, "GET", portal)[1]
    assert {"price_team_year", "price_business_month"} == set(re.findall(r'option value="(price_\w+)"', html))
    form = {"subscription": bought.id, "price": "price_business_month"}
    done, _ = ask(server, "POST", f"{portal}/plan", form)
    assert (done.status, done.headers["Location"]) == (303, portal)
    item = client.v1.subscriptions.retrieve(bought.id)["items"].data[0]
    assert item.price.id == "price_business_month"
    assert "Business, 199.00 EUR a month: active" in ask(server, "GET", portal)[1]


def test_the_portal_cancels_and_takes_it_back(server, client):
    bought = subscribe(server, client)
    portal = portal_of(client, bought.customer)
    ask(server, "POST", f"{portal}/cancel", {"subscription": bought.id})
    assert client.v1.subscriptions.retrieve(bought.id).cancel_at_period_end is True
    ask(server, "POST", f"{portal}/resume", {"subscription": bought.id})
    assert client.v1.subscriptions.retrieve(bought.id).cancel_at_period_end is False


def test_the_portal_changes_the_card_and_pays_what_is_open(server, client):
    bought = subscribe(server, client, "attaches_then_fails")
    server.renew(bought.id)
    portal = portal_of(client, bought.customer)
    open_invoice = {"invoice": client.v1.subscriptions.retrieve(bought.id).latest_invoice}
    assert ask(server, "POST", f"{portal}/invoice", open_invoice)[0].status == 402
    assert ask(server, "POST", f"{portal}/card", {"card": "declined"})[0].status == 402
    assert ask(server, "POST", f"{portal}/card", {"card": "good"})[0].status == 303
    assert ask(server, "POST", f"{portal}/invoice", open_invoice)[0].status == 303
    assert client.v1.subscriptions.retrieve(bought.id).status == "active"


def test_a_flow_shows_its_own_part_and_leads_where_it_was_told(server, client):
    bought = subscribe(server, client)
    after = {"type": "redirect", "redirect": {"return_url": "https://pigi.example/after"}}
    flow = {"type": "payment_method_update", "after_completion": after}
    portal = portal_of(client, bought.customer, flow_data=flow)
    html = ask(server, "GET", portal)[1]
    assert "<h2>Card</h2>" in html
    assert "<h2>Plan</h2>" not in html
    done, _ = ask(server, "POST", f"{portal}/card", {"card": "good"})
    assert done.headers["Location"] == "https://pigi.example/after"


def test_the_portal_is_over_after_an_hour_and_is_for_one_customer(server, client):
    bought, other = subscribe(server, client), subscribe(server, client)
    portal = portal_of(client, bought.customer)
    assert ask(server, "POST", f"{portal}/cancel", {"subscription": other.id})[0].status == 404
    server.advance(3600)
    assert ask(server, "GET", portal)[0].status == 404


def test_the_portal_does_what_its_configuration_allows(server, client):
    bought = subscribe(server, client)
    features = {"subscription_cancel": {"enabled": True, "mode": "immediately"}}
    made = client.v1.billing_portal.configurations.create({"features": features})
    portal = portal_of(client, bought.customer, configuration=made.id)
    assert "Change plan" not in ask(server, "GET", portal)[1]
    form = {"subscription": bought.id, "price": "price_business_month"}
    assert ask(server, "POST", f"{portal}/plan", form)[0].status == 400
    ask(server, "POST", f"{portal}/cancel", {"subscription": bought.id})
    assert client.v1.subscriptions.retrieve(bought.id).status == "canceled"


def test_the_portal_offers_the_prices_of_its_configuration_alone(server, client):
    bought = subscribe(server, client)
    products = [{"product": "prod_team", "prices": ["price_team_year"]}]
    update = {"enabled": True, "default_allowed_updates": ["price"], "products": products}
    made = client.v1.billing_portal.configurations.create({"features": {"subscription_update": update}})
    portal = portal_of(client, bought.customer, configuration=made.id)
    for price, status in (("price_business_month", 400), ("price_team_year", 303)):
        form = {"subscription": bought.id, "price": price}
        assert ask(server, "POST", f"{portal}/plan", form)[0].status == status


def test_the_default_configuration_can_be_narrowed_but_not_switched_off(client):
    (default,) = client.v1.billing_portal.configurations.list({"active": True, "is_default": True}).data
    changed = client.v1.billing_portal.configurations.update(
        default.id, {"features": {"subscription_cancel": {"enabled": False}}}
    )
    assert changed.features.subscription_cancel.enabled is False
    assert changed.features.invoice_history.enabled is True
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.billing_portal.configurations.update(default.id, {"active": False})


def test_an_open_invoice_is_paid_on_its_own_page(server, client):
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    (invoice,) = client.v1.invoices.list({"status": "open"}).data
    path = path_of(invoice.hosted_invoice_url)
    assert "49.00 EUR, open" in ask(server, "GET", path)[1]
    assert ask(server, "POST", path, {"card": "declined"})[0].status == 402
    assert ask(server, "POST", path, {"card": "good"})[0].status == 303
    assert client.v1.subscriptions.retrieve(bought.id).status == "active"


def test_nothing_that_was_sent_runs_in_a_page(server, client):
    customer = client.v1.customers.create({"name": EVIL, "metadata": {"a": EVIL}}).id
    session = open_session(client, customer, cancel_url=f"https://pigi.example/?{EVIL.replace(' ', '')}")
    server.pay(session.id, email=EVIL, name=EVIL)
    portal = portal_of(client, customer)
    again = open_session(client, customer)
    (invoice,) = client.v1.invoices.list({"customer": customer}).data
    for path, told in (("/", 1), (path_of(again.url), 1), (portal, 0), (path_of(invoice.hosted_invoice_url), 0)):
        page, html = ask(server, "GET", path)
        assert page.status == 200
        assert "<script" not in html
        assert unescape(html).count(EVIL) >= told
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_other_sites_reach_neither_pages_nor_controls(server, headers):
    assert ask(server, "GET", "/", headers=headers)[0].status == 403
    assert ask(server, "POST", "/actions", {"act": "advance", "seconds": "1"}, headers)[0].status == 403
    assert ask(server, "GET", "/_standin/state", headers=headers)[0].status == 403


def test_the_overview_has_a_button_for_what_happens_by_itself(server, client):
    bought = subscribe(server, client)
    now = server.account.now()
    assert ask(server, "POST", "/actions", {"act": "advance", "seconds": "3600"})[0].status == 303
    assert server.account.now() >= now + 3600
    for act, status in (("fail", "past_due"), ("give-up", "unpaid"), ("pay", "active"), ("renew", "active")):
        assert ask(server, "POST", "/actions", {"act": act, "id": bought.id})[0].status == 303
        assert client.v1.subscriptions.retrieve(bought.id).status == status
    ask(server, "POST", "/actions", {"act": "toggle", "id": "mails_receipts"})
    assert server.account.settings["mails_receipts"] is False
    assert "payment_failed" in ask(server, "GET", "/")[1]


def control(server, path, body):
    response, text = ask(server, "POST", f"/_standin/{path}", body)
    return response.status, json.loads(text)


def test_drills_do_the_same_over_http(server, client):
    session = open_session(client, client.v1.customers.create().id)
    assert control(server, f"sessions/{session.id}/pay", b'{"card": "declined"}')[0] == 402
    assert control(server, f"sessions/{session.id}/pay", b'{"card": "good"}')[1]["status"] == "complete"
    bought = client.v1.subscriptions.list().data[0].id
    assert control(server, f"subscriptions/{bought}/renew", b'{"pay": false}')[1]["status"] == "open"
    assert control(server, f"subscriptions/{bought}/give-up", b"{}")[1]["status"] == "unpaid"
    assert control(server, f"subscriptions/{bought}/pay", b"{}")[1] == {"paid": True}
    (charge,) = [one["id"] for one in server.objects("charge") if one["paid"]][:1]
    refund = control(server, f"charges/{charge}/refund", b'{"amount": 900, "pending": true}')[1]
    assert (refund["amount"], refund["status"]) == (900, "pending")
    assert control(server, f"refunds/{refund['id']}/fail", b"")[1]["status"] == "failed"
    dispute = control(server, f"charges/{charge}/dispute", b"{}")[1]
    assert control(server, f"disputes/{dispute['id']}/reinstate", b"")[1]["status"] == "won"
    assert control(server, f"charges/{charge}/dispute", b'{"amount": 0}')[0] == 400
    assert control(server, "account", b'{"mails_receipts": false}')[0] == 200
    assert control(server, "account", b'{"mails": false}')[0] == 400
    assert control(server, "deliveries", b'{"paused": true}')[0] == 200
    assert control(server, "advance", b'{"seconds": Infinity}')[0] == 400
    assert control(server, "advance", b'{"seconds": 60}')[0] == 200
    plan = b'{"method": "GET", "path": "/v1/account", "fault": "fail", "status": 503}'
    assert control(server, "faults", plan)[0] == 200
    assert control(server, "faults", b'{"method": "GET", "path": "/", "fault": "earthquake"}')[0] == 400
    with pytest.raises(stripe.APIError):
        client.raw_request("get", "/v1/account")
    state = json.loads(ask(server, "GET", "/_standin/state")[1])
    assert state["counts"]["subscription"] == 1
    assert state["settings"]["deliveries_paused"] is True
    assert state["objects"]["subscription"][0]["id"] == bought
