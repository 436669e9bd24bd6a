"""A shop for tests: real rows, a worker's hands with the real SDK, and a Stripe that fails on demand."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from stripe import StripeClient

import tasks.billing  # noqa: F401 - registers the kinds' bodies
from pigi.domain.access import Caller, Role
from pigi.domain.stripe_api import API_VERSION
from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_http import CallLimits
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import HANDLERS
from pigi.operations.billing import (
    ACCOUNT,
    read_link,
    read_run,
    receive_webhook,
    request_checkout,
    request_reconciliation,
)
from pigi.operations.billing.events import EVENT
from pigi.operations.billing.log import LINE
from tests.support.factories import make_organisation
from tests.support.jobs import change, effects, row_of
from tests.support.people import make_member

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.model.view import EffectView
    from pigi.operations.billing import Reconciliation
    from standins.stripe.faults import FaultyStripe

HOME = "https://pigi.example"
KEY = "sk_test_tests"
LIMITS = CallLimits(connect=5, read=10.0, overall=20, retries=0)
PRICES = "price_team_month=team,price_team_year=team,price_business_month=business"
TEAM, BUSINESS = "price_team_month", "price_business_month"


@dataclass(frozen=True)
class Outside:
    """The outside world of a job about money."""

    billing: StripeBilling


def charging(settings: Any, stripe: FaultyStripe, **others: Any) -> Any:
    """The settings of an installation that charges by this Stripe."""
    chosen = {
        "stripe_api_base": stripe.url,
        "stripe_api_key": KEY,
        "stripe_webhook_secret": stripe.secret,
        "stripe_prices": PRICES,
        "public_url": HOME,
        **others,
    }
    return settings.model_copy(update=chosen)


class Shop:
    """Asks for pages and syncs, does their jobs, and looks at both sides."""

    def __init__(
        self,
        application: Application,
        stripe: FaultyStripe,
        limits: CallLimits = LIMITS,
        key: str = KEY,
        **settings: Any,
    ) -> None:
        self.application = replace(application, settings=charging(application.settings, stripe, **settings))
        self.control = application.control
        self.stripe = stripe
        self.provider = StripeBilling(stripe.url, key, limits)
        self.sdk = StripeClient(KEY, base_addresses={"api": stripe.url}, stripe_version=API_VERSION)
        heartbeat = LeaseHeartbeat(self.control, lambda: False, self.application.notifier)
        self.worker_context: Any = WorkerContext(self.application, Outside(self.provider), heartbeat, lambda: False)

    # Customers

    def organisation(self, name: str = "Harbour Works", email: str = "") -> Caller:
        """A new organisation, and its owner who acts."""
        organisation_id = make_organisation(self.control, self.application.tenants, name)
        email = email or f"owner-{secrets.token_hex(4)}@example.com"
        account_id = make_member(self.application, organisation_id, Role.OWNER, email=email)
        return Caller(organisation_id, Role.OWNER, account_id, confirmed=True)

    def checkout(self, owner: Caller, plan: str = "team", price: str | None = None) -> str:
        """Ask for a checkout and do its job; the job's id."""
        job_id = request_checkout(self.application, owner, plan, price).id
        self.do(job_id)
        return job_id

    def url(self, owner: Caller, job_id: str) -> str | None:
        """The page that a job has opened."""
        return read_link(self.application, owner, row_of(self.control, job_id).subject_id).url

    def session(self, owner: Caller, job_id: str) -> str:
        """The id of the checkout session behind a job's page."""
        url = self.url(owner, job_id)
        assert url is not None
        return url.rpartition("/")[2]

    def subscribed(self, plan: str = "team", card: str = "good") -> Caller:
        """The owner of an organisation that has bought a plan, of which Pigi has heard."""
        owner = self.organisation()
        self.stripe.pay(self.session(owner, self.checkout(owner, plan)), card)
        self.hear()
        return owner

    # Doing

    def do(self, job_id: str, *, now: bool = False) -> Any:
        """Answer the job's bell once, also before a retry is due if ``now``; its row then."""
        if now:
            change(self.control, job_id, due_at=timedelta(seconds=-1))
        run(HANDLERS[row_of(self.control, job_id).kind], job_id, self.worker_context)
        return row_of(self.control, job_id)

    def deliver(self, body: bytes, signature: str | None = None) -> str | None:
        """Post one event to the webhook; the id of its job, None if it needed none."""
        return receive_webhook(self.application, body, signature or self.stripe.sign(body))

    def hear(self) -> list[Any]:
        """Deliver every event that is pending and do its job; the jobs as they ended."""
        jobs = [self.deliver(body) for body in self.stripe.take_events()]
        return [self.do(job_id) for job_id in jobs if job_id is not None]

    def reconcile(self) -> Reconciliation:
        """Reconcile; what came of it."""
        job = self.do(request_reconciliation(self.application, "test").id)
        assert (job.state, job.reason) == ("succeeded", None)
        found = read_run(self.application, job.id)
        assert found is not None
        return found

    def refund(self, charge: str, amount: int | None = None) -> None:
        """Somebody gives money back in Stripe's dashboard."""
        self.sdk.v1.refunds.create({"charge": charge} if amount is None else {"charge": charge, "amount": amount})

    # Looking

    def account(self, owner: Caller) -> Any:
        """Pigi's row."""
        with self.control.autocommit() as connection:
            return connection.execute(select(ACCOUNT).where(ACCOUNT.c.organisation_id == owner.organisation_id)).first()

    def standing(self, owner: Caller) -> tuple[str, str | None]:
        """Status and plan as Pigi has them."""
        row = self.account(owner)
        return row.status, row.plan

    def truth(self, owner: Caller) -> str:
        """The status of the organisation's newest subscription as Stripe has it."""
        theirs = self.subscriptions(owner)
        return theirs[-1]["status"] if theirs else "none"

    def subscriptions(self, owner: Caller) -> list[Any]:
        """Stripe's subscriptions of the organisation, the oldest first."""
        found = self.stripe.objects("subscription")
        return [one for one in found if one["metadata"].get("organisation") == owner.organisation_id]

    def customers(self, owner: Caller) -> list[Any]:
        """Stripe's customers of the organisation."""
        found = self.stripe.objects("customer")
        return [one for one in found if one["metadata"].get("organisation") == owner.organisation_id]

    def events(self) -> list[Any]:
        """The events that Pigi heard of."""
        with self.control.autocommit() as connection:
            return list(connection.execute(select(EVENT).order_by(EVENT.c.id)))

    def log(self, owner: Caller | None = None) -> list[Any]:
        """The billing log, or one customer's part of it."""
        query = select(LINE).order_by(LINE.c.occurred_at, LINE.c.event_id)
        if owner is not None:
            query = query.where(LINE.c.customer_id == self.account(owner).customer_id)
        with self.control.autocommit() as connection:
            return list(connection.execute(query))

    def effects(self, job_id: str) -> dict[str, EffectView]:
        """A job's effects by key."""
        return effects(self.control, job_id)


def kinds_of(bodies: list[bytes]) -> list[str]:
    """The types of events."""
    return [json.loads(body)["type"] for body in bodies]
