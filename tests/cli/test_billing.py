"""`pigi billing` against the real SDK and the local stand-in, with a worker's context but without Celery."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import pytest

import tasks.billing  # noqa: F401 - registers the bodies
from pigi.application import Application
from pigi.cli.demo import demo_key
from pigi.domain.access import Caller, Person, Role
from pigi.domain.billing_findings import FINDINGS
from pigi.domain.stripe_api import API_VERSION, release_of
from pigi.domain.stripe_events import HANDLED
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import HANDLERS
from pigi.operations.billing import find_account, request_checkout, request_sync
from pigi.operations.jobs import list_jobs, read_job
from pigi.operations.organisations import create_organisation
from pigi.operations.plans import plan_of
from pigi.settings import Settings
from standins.stripe.server import Setup, StripeStandIn
from tests.support.environments import ROOT, environment_of
from tests.support.people import make_account
from worker.wiring import Wiring

PUBLIC = "http://pigi.test"
PRICES = "price_team_month=team,price_business_month=business"


class Shop:
    """An installation that charges, its account at the stand-in, and the command line on the same home."""

    def __init__(self, pigi, standin, application):
        self.pigi, self.standin, self.application = pigi, standin, application
        heartbeat = LeaseHeartbeat(application.control, lambda: False, application.notifier)
        self._worker_context = WorkerContext(application, Wiring(application.settings), heartbeat, lambda: False)

    def __call__(self, *words):
        return self.pigi(*words, **environment_of(self.application.settings))

    def do(self, job_id):
        """Do a job as a worker does; how it ended."""
        job = read_job(self.application, job_id, None)
        run(HANDLERS[job.kind], job_id, self._worker_context)
        return read_job(self.application, job_id, None)

    @contextmanager
    def at_work(self, kind):
        """Do the jobs of a kind as they come, for a block."""
        over = threading.Event()

        def work():
            while not over.wait(0.05):
                for job in list_jobs(self.application, None, state="queued", kind=kind):
                    self.do(job.id)

        worker = threading.Thread(target=work)
        worker.start()
        yield
        over.set()
        worker.join()

    def organisation(self):
        """One of somebody who may buy."""
        return create_organisation(self.application, "Example", Person(make_account(self.application), new_id()))

    def buy(self, organisation):
        """Buy the plan Team, and receive its events; the customer."""
        caller = Caller(organisation, Role.OWNER, new_id(), confirmed=True)
        self.do(request_checkout(self.application, caller, "team").id)
        self.standin.pay(self.standin.objects("checkout.session")[-1]["id"])
        self.do(request_sync(self.application, caller).id)
        return self.account(organisation).customer_id

    def account(self, organisation):
        with self.application.control.autocommit() as connection:
            return find_account(connection, organisation)


@pytest.fixture
def shop(pigi):
    assert pigi("migrate").returncode == 0
    with StripeStandIn(Setup(webhook=f"{PUBLIC}/api/v1/webhooks/stripe")) as standin:
        settings = Settings(
            home=pigi.home / "var",
            public_url=PUBLIC,
            stripe_api_base=standin.url,
            stripe_api_key="sk_test_of_this_test",
            stripe_webhook_secret=standin.setup.secret,
            stripe_prices=PRICES,
        )
        application = Application.open(settings)
        yield Shop(pigi, standin, application)
        application.dispose()


def test_the_set_up_guide_names_all_that_must_be_chosen_at_stripe():
    guide = (ROOT / "docs" / "operations.md").read_text()
    events = guide.partition("These events")[2].split("```")[1].split()
    assert (set(events), len(events)) == (HANDLED, len(HANDLED))
    assert f"API version `{API_VERSION}`" in guide
    assert f"api_version={API_VERSION}" in guide
    assert f"the release `{release_of(API_VERSION)}`" in guide
    assert not [code for code in FINDINGS if f"`{code}`" not in guide]


def data_of(done):
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_a_check_finds_what_is_wrong_and_names_the_step(shop):
    with shop.at_work("billing.reconcile"):
        sound = shop("billing", "check", "--json")
        shop.standin.account.of("price")["price_team_month"]["recurring"] = None
        wrong = shop("billing", "check")
    assert (sound.returncode, data_of(sound)["ok"], data_of(sound)["findings"]) == (0, True, [])
    assert wrong.returncode == 1
    assert "price_unusable" in wrong.stdout
    assert "Choose a price with a period" in " ".join(wrong.stdout.split())


def test_a_check_puts_right_what_no_webhook_data_of(shop):
    organisation = shop.organisation()
    shop.buy(organisation)
    shop.standin.set_status(shop.standin.objects("subscription")[0]["id"], "past_due")
    with shop.at_work("billing.reconcile"):
        run = data_of(shop("billing", "check", "--json"))["run"]
    assert (run["customers"], run["drift"]) == (1, 1)
    assert run["missed"] > 0
    assert shop.account(organisation).status == "past_due"
    seen = data_of(shop("billing", "status", "--json"))
    assert (seen["charged"], seen["statuses"], seen["last_whole"]) == (True, {"past_due": 1}, run)
    assert "1 past_due" in shop("billing", "status").stdout


def test_a_check_without_a_worker_says_what_to_start(shop):
    done = shop("billing", "check", "--wait", "0")
    assert (done.returncode, done.stderr) == (1, "")
    assert "`pigi worker slow`" in " ".join(done.stdout.split())
    assert not data_of(shop("billing", "check", "--wait", "0", "--json"))["ok"]


def test_where_nobody_is_charged_that_is_said(pigi):
    assert pigi("migrate").returncode == 0
    assert "Nobody is charged" in pigi("billing", "status").stdout


def test_a_given_plan_prevails_until_it_is_taken_back(shop):
    organisation = shop.organisation()
    assert plan_of(shop.application, organisation).name == "free"
    assert shop("billing", "grant", organisation, "business").stdout == "Business applies from now on.\n"
    assert plan_of(shop.application, organisation).name == "business"
    back = data_of(shop("billing", "grant", organisation, "none", "--json"))
    assert back == {"organisation_id": organisation, "granted": None, "applies": "free"}
    acts = [entry for entry in data_of(shop("audit", "list", "--json")) if entry["kind"] == "plan.granted"]
    assert [(act["actor"], act["details"]) for act in acts] == [
        ("operator:cli", {}),
        ("operator:cli", {"plan": "business"}),
    ]


@pytest.mark.parametrize(
    ("options", "applies"), [((), "unmetered"), (("--plan", "team"), "team"), (("--plan", "none"), "free")]
)
def test_an_organisation_made_here_is_the_installations_own_unless_it_is_said_otherwise(shop, options, applies):
    made = shop("organisations", "add", "Example", *options).stdout.strip()
    assert plan_of(shop.application, made).name == applies


def test_the_demos_organisation_has_no_limits(shop):
    key = demo_key(shop.application, "http://127.0.0.1:9")
    assert plan_of(shop.application, key.organisation_id).name == "unmetered"


def test_stripe_is_asked_again_on_demand(shop):
    organisation = shop.organisation()
    shop.buy(organisation)
    shop.standin.set_status(shop.standin.objects("subscription")[0]["id"], "unpaid")
    job = data_of(shop("billing", "sync", organisation, "--json"))
    assert shop.do(job["id"]).state == "succeeded"
    assert shop.account(organisation).status == "unpaid"


def test_the_log_is_found_by_customer_and_by_organisation(shop):
    organisation = shop.organisation()
    customer = shop.buy(organisation)
    with shop.at_work("billing.reconcile"):
        assert shop("billing", "check").returncode == 0
    lines = data_of(shop("billing", "log", customer, "--json"))
    assert [(line["event_type"], line["amount"], line["currency"]) for line in lines] == [("invoice.paid", 4900, "eur")]
    assert data_of(shop("billing", "log", "--organisation", organisation, "--json")) == lines
    assert "4900 eur" in shop("billing", "log", customer).stdout


def test_the_log_says_what_went_back_and_what_came_again(shop):
    organisation = shop.organisation()
    customer = shop.buy(organisation)
    (charge,) = shop.standin.objects("charge")
    shop.standin.fail_refund(shop.standin.refund(charge["id"], 900)["id"])
    shop.standin.reinstate(shop.standin.dispute(charge["id"])["id"])
    with shop.at_work("billing.reconcile"):
        assert shop("billing", "check").returncode == 0
    shown = {" ".join(line.split()[2:6]) for line in shop("billing", "log", customer).stdout.splitlines()[1:]}
    assert shown == {
        "invoice.paid paid 4900 eur",
        "refund.created refunded -900 eur",
        "refund.failed refund_failed 900 eur",
        "charge.dispute.funds_withdrawn disputed -4900 eur",
        "charge.dispute.funds_reinstated reinstated 4900 eur",
    }


def test_what_cannot_be_done_is_said_with_the_next_step(shop):
    known = shop.organisation()
    for words, code, said in (
        (("sync", known), 1, "has bought nothing yet"),
        (("sync", "nobody"), 1, "`pigi organisations list`"),
        (("grant", "nobody", "team"), 1, "`pigi organisations list`"),
        (("log", "cus_\udcff"), 1, "is not text"),
        (("grant", known, "gold"), 2, "'business'"),
        (("log", "--organisation", known), 1, "has bought nothing yet"),
        (("log",), 2, "--organisation"),
        (("log", "cus_x", "--organisation", known), 2, "--organisation"),
    ):
        refused = shop("billing", *words)
        assert (refused.returncode, refused.stdout) == (code, ""), words
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
