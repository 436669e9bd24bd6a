"""Stripe's webhook over HTTP: what Stripe signed is written down once, and nothing else leaves a trace."""

from __future__ import annotations

import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from stripe import WebhookSignature

from pigi.application import Application
from pigi.jobs.model.transitions import JOB
from pigi.operations.billing.events import EVENT
from tests.support.people import browser, make_account, make_session
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from pigi.settings import Settings
    from tests.support.http import Client

PATH = "/api/v1/webhooks/stripe"
NEW, OLD = "whsec_new", "whsec_old"
SNAPSHOT = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.subscription.updated",
    "created": 1_780_000_000,
    "livemode": False,
    "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
}
THIN = {
    "id": "evt_2",
    "object": "v2.core.event",
    "type": "v1.invoice.paid",
    "created": "2026-05-28T20:26:40.123Z",
    "livemode": False,
    "related_object": {"id": "in_1", "type": "invoice", "url": "/v1/invoices/in_1"},
}
MIB = 1024 * 1024


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    """An application that charges, while its webhook's secret is being replaced."""
    chosen = {
        "stripe_prices": "price_t=team",
        "stripe_api_key": "sk_test_x",
        "stripe_webhook_secret": f"{NEW},{OLD}",
    }
    opened = Application.open(settings.model_copy(update=chosen))
    yield opened
    opened.dispose()


def tell(client: Client, event: Any, secret: str = NEW, age: float = 0, **headers: str) -> Any:
    """Post an event as Stripe does; text is posted as it is."""
    body = event if isinstance(event, str) else json.dumps(event)
    signature = WebhookSignature.generate_signature_header(body, secret, int(time.time() - age))
    sent = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8", **headers}
    return client.post(PATH, data=body.encode(), headers=sent)


def left(application: Application) -> tuple[int, int]:
    """How many events and how many jobs there are."""
    with application.control.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (EVENT, JOB)]
    return counts[0] or 0, counts[1] or 0


def assert_refused(answer: Any) -> None:
    """It says no more than that it was refused."""
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert set(answer.json) == {"type", "title", "status", "detail", "instance", "code"}
    assert answer.json["code"] == "webhook_refused"


@pytest.mark.parametrize("event", [SNAPSHOT, THIN], ids=["snapshot", "thin"])
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_what_stripe_signed_is_written_down_with_its_job(
    application: Application, client: Client, event: Any, secret: str
) -> None:
    answer = tell(client, event, secret)

    assert (answer.status_code, answer.json) == (200, {"received": True})
    assert left(application) == (1, 1)
    with application.control.read() as session:
        row, job = session.execute(select(EVENT)).one(), session.execute(select(JOB)).one()
    assert (row.event_id, row.processed_at) == (event["id"], None)
    assert (job.kind, job.subject_id, job.state) == ("billing.sync", row.id, "queued")


def test_an_event_counts_once_however_often_it_is_told(application: Application, client: Client) -> None:
    first, second = tell(client, SNAPSHOT), tell(client, {**SNAPSHOT, "pending_webhooks": 1})

    assert (first.status_code, first.json) == (second.status_code, second.json)
    assert left(application) == (1, 1)


def test_also_when_it_is_told_many_times_at_once(application: Application, app: Flask) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tell(app.test_client(), SNAPSHOT).status_code, range(24)))

    assert set(answers) == {200}
    assert left(application) == (1, 1)


@pytest.mark.parametrize("kind", ["payout.paid", "customer.source.created", "v1.billing.meter.no_meter_found"])
def test_what_nobody_heeds_is_received_and_leaves_nothing(application: Application, client: Client, kind: str) -> None:
    assert tell(client, {**SNAPSHOT, "type": kind}).status_code == 200
    assert left(application) == (0, 0)


def test_what_stripe_did_not_sign_just_now_is_refused_without_saying_why(
    application: Application, client: Client
) -> None:
    genuine = WebhookSignature.generate_signature_header(json.dumps(SNAPSHOT), NEW)
    other = json.dumps({**SNAPSHOT, "id": "evt_forged"}).encode()
    as_json = {"Content-Type": "application/json"}
    refused = [
        tell(client, SNAPSHOT, "whsec_forged"),
        tell(client, SNAPSHOT, age=301),
        tell(client, SNAPSHOT, age=-330),
        client.post(PATH, data=other, headers={"Stripe-Signature": genuine, **as_json}),
        client.post(PATH, data=json.dumps(SNAPSHOT), headers=as_json),
        tell(client, {**SNAPSHOT, "livemode": True}),
    ]
    for answer in refused:
        assert_refused(answer)
    assert len({json.dumps({**answer.json, "instance": ""}) for answer in refused}) == 1
    assert left(application) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '"event"', "1e999", "[" * 100_000, "9" * 5000, '{"object": "event"}',
        '{"object": {}, "id": [], "type": {}}', '{"object": "event", "id": "evt_\\u0000", "type": "invoice.paid"}',
        json.dumps({**SNAPSHOT, "created": 10**30}), json.dumps({**SNAPSHOT, "id": "x" * 200}),
        json.dumps({**SNAPSHOT, "type": "\ud800"}), json.dumps({**THIN, "created": "0001-01-01T00:00:00+14:00"}),
    ],
)  # fmt: skip
def test_rubbish_is_refused_though_it_is_signed(application: Application, client: Client, body: str) -> None:
    assert_refused(tell(client, body))
    assert left(application) == (0, 0)


@pytest.mark.parametrize(
    "signature", ["", "t=,v1=", "v1=00", "t=1", ",,,", "=", "t=" + "9" * 400 + ",v1=0", "t=1,v1=\xe9", "t=1," * 9000]
)
def test_so_is_a_signature_that_is_none(application: Application, client: Client, signature: str) -> None:
    assert_refused(client.post(PATH, data=json.dumps(SNAPSHOT), headers={"Stripe-Signature": signature}))
    assert left(application) == (0, 0)


def test_bytes_that_are_no_text_are_refused(client: Client) -> None:
    """Signed by hand, since Stripe's library signs text alone."""
    body, at = b'\xff\xfe{"id"\x00', int(time.time())
    signature = hmac.new(NEW.encode(), b"%d.%b" % (at, body), "sha256").hexdigest()
    assert_refused(client.post(PATH, data=body, headers={"Stripe-Signature": f"t={at},v1={signature}"}))


def test_a_large_event_fits_and_a_huge_one_does_not(application: Application, client: Client) -> None:
    about = {"id": "in_1", "object": "invoice", "customer": "cus_1", "lines": "x" * (MIB - 5000)}
    assert tell(client, {**SNAPSHOT, "data": {"object": about}}).status_code == 200
    huge = tell(client, {**SNAPSHOT, "id": "evt_9", "data": {"object": {**about, "lines": "x" * MIB}}})
    assert (huge.status_code, huge.json["code"]) == (413, "body_too_large")
    assert left(application) == (1, 1)


def test_a_browser_cannot_be_made_to_post_there(application: Application, app: Flask, client: Client) -> None:
    """Its signature would not be there to be sent along, but its cookie would."""
    token = make_session(application, make_account(application))
    answers = [
        tell(browser(app, token, csrf=""), SNAPSHOT),
        tell(client, SNAPSHOT, **{"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(403, "csrf_refused")] * 2
    assert left(application) == (0, 0)


def test_where_nobody_is_charged_there_is_no_such_address(settings: Settings) -> None:
    opened = Application.open(settings)
    answer = tell(create_app(opened).test_client(), SNAPSHOT)
    opened.dispose()

    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_the_api_document_shows_how_an_event_is_sent(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json
    operation = document["paths"][PATH]["post"]

    assert "security" not in operation
    assert [(one["name"], one["required"]) for one in operation["parameters"]] == [("Stripe-Signature", True)]
    assert operation["requestBody"]["required"] is True
    assert document["components"]["schemas"]["StripeEvent"]["additionalProperties"] is True
    assert set(operation["responses"]) == {"200", "400", "403", "404", "408", "413", "500", "503"}
