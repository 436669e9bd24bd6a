"""The stand-in's events: snapshots and thin ones as the real SDK reads them, signed, delivered until they are taken."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from standins.stripe.server import Setup, StripeStandIn
from tests.standins.stripe.client import client_of, open_session, subscribe

SECRET = "whsec_first"


@pytest.fixture
def server():
    with StripeStandIn(Setup(secret=SECRET)) as made:
        yield made


@pytest.fixture
def thin():
    with StripeStandIn(Setup(secret=SECRET, payload="thin")) as made:
        yield made


def test_the_sdk_takes_every_snapshot(server):
    client = client_of(server)
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    bodies = server.take_events()
    events = [client.construct_event(body, server.sign(body), SECRET) for body in bodies]
    assert len(events) > 20
    changed = [one for one in events if one.type == "customer.subscription.updated"][-1]
    assert changed.data.object["status"] == "past_due"
    assert changed.data.previous_attributes.to_dict() == {"status": "active"}
    assert changed.api_version == "2026-10-28.endive"
    assert {one.livemode for one in events} == {False}
    assert server.take_events() == []


def test_a_snapshot_names_the_request_that_caused_it(server):
    client = client_of(server)
    made = client.v1.customers.create({}, {"idempotency_key": "k"})
    (body,) = server.take_events()
    asked = {"id": made.last_response.request_id, "idempotency_key": "k"}
    assert json.loads(body)["request"] == asked


def test_a_forged_or_stale_signature_is_told_apart(server):
    client = client_of(server)
    client.v1.customers.create()
    (body,) = server.pending()
    for header in (server.sign(body, "whsec_other"), server.sign(body, at=int(time.time()) - 301), server.sign(b"{}")):
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(body, header, SECRET)


def test_the_sdk_knows_every_thin_event_and_none_holds_more_than_ids(thin):
    client = client_of(thin)
    bought = subscribe(thin, client, customer_update={"address": "auto", "name": "auto"})
    thin.renew(bought.id, pay=False)
    thin.retry_payment(bought.id, pay=True)
    thin.change_plan(bought.id, "price_business_month")
    thin.cancel_later(bought.id)
    thin.renew(bought.id)
    client.v1.invoices.void_invoice(failing(thin, client))
    charge = next(one for one in client.v1.charges.list().data if one.paid)
    thin.fail_refund(client.v1.refunds.create({"charge": charge.id}).id)
    thin.reinstate(thin.dispute(charge.id)["id"])
    client.v1.billing_portal.sessions.create({"customer": bought.customer})
    session = open_session(client, bought.customer)
    client.v1.checkout.sessions.expire(session.id)
    client.v1.customers.delete(bought.customer)
    bodies = thin.take_events()
    notes = [client.parse_event_notification(body, thin.sign(body), SECRET) for body in bodies]
    assert len({one.type for one in notes}) > 20
    assert [one.type for one in notes if type(one).__name__ == "UnknownEventNotification"] == []
    for word in (b"payer", b"Payer", b"4242", b"4900"):
        assert not [body for body in bodies if word in body]


def failing(server, client):
    other = subscribe(server, client)
    return server.renew(other.id, pay=False)["id"]


def test_a_thin_event_leads_to_its_object_and_its_snapshot(thin):
    client = client_of(thin)
    bought = subscribe(thin, client)
    bodies = thin.take_events()
    notes = {one.type: one for one in (client.parse_event_notification(b, thin.sign(b), SECRET) for b in bodies)}
    note = notes["v1.customer.subscription.active"]
    assert note.related_object.id == bought.id
    assert note.fetch_related_object().status == "active"
    assert notes["v1.checkout.session.completed"].fetch_related_object().status == "complete"
    assert client.v1.events.retrieve(note.fetch_event().snapshot_event).type == "customer.subscription.updated"
    asked = {"types": ["v1.invoice.paid"]}
    assert [one.type for one in client.v2.core.events.list(asked).data] == ["v1.invoice.paid"]


@pytest.mark.parametrize("payload", ["snapshot", "thin"])
def test_the_second_api_lists_thin_destinations_too(payload):
    url = "http://127.0.0.1:9/hook"
    with StripeStandIn(Setup(webhook=url, payload=payload)) as server:
        client = client_of(server)
        assert [one.url for one in client.v1.webhook_endpoints.list().data] == [url] * (payload == "snapshot")
        (plain,) = client.v2.core.event_destinations.list().data
        assert (plain.event_payload, plain.webhook_endpoint.url) == (payload, None)
        (told,) = client.v2.core.event_destinations.list({"include": ["webhook_endpoint.url"]}).data
        assert told.webhook_endpoint.url == url


def test_events_are_listed_by_type_and_time(server):
    client = client_of(server)
    subscribe(server, client)
    server.advance(1000)
    later = client.v1.customers.create().created
    listed = client.v1.events.list({"types": ["customer.created", "invoice.paid"]}).data
    assert [one.type for one in listed] == ["customer.created", "invoice.paid", "customer.created"]
    assert len(client.v1.events.list({"created": {"gte": later}}).data) == 1
    assert len(client.v1.events.list({"type": "invoice.paid"}).data) == 1


def test_events_are_there_for_30_days(server):
    client = client_of(server)
    for taken in (False, True):
        client.v1.customers.create()
        if taken:
            server.take_events()
        server.advance(30 * 86_400 + 1)
        new = client.v1.customers.create()
        assert [one.data.object["id"] for one in client.v1.events.list().data] == [new.id]
    assert [json.loads(body)["data"]["object"]["id"] for body in server.pending()] == [new.id]
    assert len(server.objects("event")) == 1


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((body, self.headers["stripe-signature"]))
        self.send_response(500 if len(self.server.got) <= self.server.refusals else 200)
        self.end_headers()

    def log_message(self, *_words):
        pass


@contextmanager
def receiving(refusals=0):
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        receiver.got, receiver.refusals = [], refusals
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver, f"http://127.0.0.1:{receiver.server_address[1]}/api/v1/webhooks/stripe"
        receiver.shutdown()


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_are_delivered_again_until_they_are_taken():
    with receiving(refusals=1) as (receiver, url), StripeStandIn(Setup(webhook=url, secret=SECRET)) as server:
        client_of(server).v1.customers.create()
        wait_for(lambda: len(receiver.got) == 2 and not server.pending())
        assert receiver.got[0][0] == receiver.got[1][0]
        for body, header in receiver.got:
            stripe.WebhookSignature.verify_header(body, header, SECRET, 300)


def test_held_events_wait_and_then_come_in_order():
    with receiving() as (receiver, url), StripeStandIn(Setup(webhook=url, secret=SECRET)) as server:
        server.pause_deliveries()
        subscribe(server, client_of(server))
        count = len(server.pending())
        assert receiver.got == []
        server.pause_deliveries(paused=False)
        wait_for(lambda: len(receiver.got) == count)
        assert json.loads(receiver.got[0][0])["type"] == "customer.created"


def test_what_was_not_delivered_is_delivered_after_a_restart(tmp_path):
    state = tmp_path / "stripe.json"
    with StripeStandIn(Setup(state=state)) as server:
        client_of(server).v1.customers.create()
    with receiving() as (receiver, url), StripeStandIn(Setup(webhook=url, state=state)) as server:
        wait_for(lambda: not server.pending())
        assert [json.loads(body)["type"] for body, _ in receiver.got] == ["customer.created"]


def test_an_endpoint_made_through_the_api_gets_what_it_asked_for():
    with receiving() as (receiver, url), StripeStandIn() as server:
        client = client_of(server)
        made = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.updated"]})
        assert made.secret.startswith("whsec_")
        assert not hasattr(client.v1.webhook_endpoints.retrieve(made.id), "secret")
        customer = client.v1.customers.create()
        client.v1.customers.update(customer.id, {"name": "Org"})
        wait_for(lambda: len(receiver.got) == 1)
        stripe.WebhookSignature.verify_header(*receiver.got[0], made.secret, 300)
        assert client.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
        assert [one.id for one in client.v1.webhook_endpoints.list().data] == [made.id]
        assert client.v1.webhook_endpoints.delete(made.id).deleted is True
