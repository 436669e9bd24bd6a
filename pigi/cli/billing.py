"""`pigi billing`: how Pigi and Stripe stand to each other. Identifiers, statuses and amounts; nobody's name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pigi.cli import billing_words as words
from pigi.cli.opening import opened
from pigi.cli.organisations import GIVEN, NO_PLAN
from pigi.cli.output import answer, json_option
from pigi.operations.audit import CLI
from pigi.operations.billing import (
    customer_for,
    grant_plan,
    oversee,
    read_log,
    read_run,
    request_reconciliation,
    request_sync_for,
)
from pigi.operations.jobs import read_job
from pigi.operations.plans import plan_of

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.model.view import JobView

REQUESTED_BY = "operator"
LOOK_SECONDS = 0.25


@click.group()
def billing() -> None:
    """See how Pigi and Stripe stand to each other, check the set-up, give plans, read the billing log."""


@billing.command()
@json_option
def status(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show what is stored: statuses, events, and what the last reconciliation found. Stripe is not asked."""
    with opened() as application:
        seen = oversee(application)
    found = words.explained(seen.last_whole.findings if seen.last_whole else ())
    answer(as_json, {**vars(seen), "findings": found}, words.standing(seen))


@billing.command()
@click.option("--wait", type=click.IntRange(0, 3600), default=120, show_default=True, help="Seconds to wait for it.")
@json_option
def check(wait: int, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Hold all that Stripe has against all that Pigi has, now, and look at the account's set-up.

    A worker does it, as every night. Exits with 1 if something is wrong with the set-up, or if it did not come to its
    end.
    """
    with opened() as application:
        job = _ended(application, request_reconciliation(application, REQUESTED_BY), wait)
        run = read_run(application, job.id)
    done = job.state == "succeeded"
    off = done and run is None  # by the worker's settings, which are what counts
    findings = words.explained(run.findings if run else ())
    text = words.unfinished(job) if not done else words.OFF if run is None else words.outcome(run)
    ok = done and not findings
    answer(as_json, {"ok": ok, "charged": not off, "job": job, "run": run, "findings": findings}, text)
    if not ok:
        raise click.exceptions.Exit(1)


@billing.command()
@click.argument("organisation")
@json_option
def sync(organisation: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Have Stripe asked how ORGANISATION (its id) stands."""
    with opened() as application:
        job = request_sync_for(application, organisation, REQUESTED_BY)
    answer(as_json, job, f"Job {job.id} asks Stripe; `pigi jobs show {job.id}` tells how it went.")


@billing.command()
@click.argument("organisation")
@click.argument("plan", type=click.Choice([*GIVEN, NO_PLAN]))
@json_option
def grant(organisation: str, plan: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Let ORGANISATION (its id) use PLAN without paying; none takes back what was given.

    What is given prevails over what was bought, and no page to buy on is opened meanwhile; one that is open already can
    be paid for a day. A subscription that it has goes on at Stripe.
    """
    given = None if plan == NO_PLAN else plan
    with opened() as application:
        with application.control.begin() as session:
            grant_plan(session, application, organisation, given, CLI)
        applies, charged = plan_of(application, organisation), application.plans.charged
    told = {"organisation_id": organisation, "granted": given, "applies": applies.name}
    answer(as_json, told, f"{applies.title} applies from now on." if charged else f"It is written down.\n{words.OFF}")


@billing.command()
@click.argument("customer", required=False)
@click.option("--organisation", metavar="ID", help="Of the customer that this organisation is.")
@json_option
def log(customer: str | None, organisation: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show the billing log of CUSTOMER (Stripe's id, such as cus_…), the oldest line first.

    Amounts are in the currency's smallest unit, and negative for what was given back or taken. The log outlives its
    organisation: then only the customer's id leads to it.
    """
    if (customer is None) == (organisation is None):
        message = "name a customer or, with --organisation, an organisation"
        raise click.UsageError(message)
    with opened() as application:
        found = read_log(application, customer or customer_for(application, str(organisation)))
    answer(as_json, found, words.lines(found) if found else "No such lines.")


def _ended(application: Application, job: JobView, wait: int) -> JobView:
    """The job at its end, or as it stands after ``wait`` seconds."""
    latest = time.monotonic() + wait
    while not job.ended and time.monotonic() < latest:
        time.sleep(LOOK_SECONDS)
        job = read_job(application, job.id, None)
    return job
