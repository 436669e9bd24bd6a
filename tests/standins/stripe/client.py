"""What the tests of Stripe's stand-in share: a client of the real SDK, and a sale."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlencode

import stripe

SUCCESS, CANCEL = "https://pigi.example/paid", "https://pigi.example/left"


def client_of(server, key="sk_test_x", version="2026-10-28.endive"):
    return client_at(server.url, key, version)


def client_at(url, key="sk_test_x", version="2026-10-28.endive", **more):
    return stripe.StripeClient(key, base_addresses={"api": url}, stripe_version=version, max_network_retries=0, **more)


def open_session(client, customer, price="price_team_month", **more):
    lines = [{"price": price, "quantity": 1}]
    urls = {"success_url": SUCCESS, "cancel_url": CANCEL}
    return client.v1.checkout.sessions.create(
        {"mode": "subscription", "customer": customer, "line_items": lines, **urls, **more}
    )


def subscribe(server, client, card="good", **more):
    """A customer who has bought a plan: the subscription, as the API tells it."""
    customer = client.v1.customers.create({"metadata": {"organisation": "org_1"}})
    session = open_session(client, customer.id, **more)
    server.pay(session.id, card)
    return client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data[0]


def kinds(server):
    return [json.loads(body)["type"] for body in server.take_events()]


def ask(server, method, path, body=None, headers=None):
    """A plain HTTP request; a dict is sent as a form, bytes as JSON."""
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=60)
    kind = "application/json" if isinstance(body, bytes) else "application/x-www-form-urlencoded"
    data, told = (urlencode(body) if isinstance(body, dict) else body), ({"Content-Type": kind} if body else {})
    connection.request(method, path, data, {**told, **(headers or {})})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text
