"""`pigi billing`: status, reconciliation, sync, grants and the billing log. Identifiers and amounts; nobody's name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import said_back
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import GIVEN, NO_ORGANISATION, NO_PLAN
from pigi.cli.output import WIDTH, answer, green, json_option, moment, red, table
from pigi.domain.billing_findings import FINDINGS
from pigi.domain.reasons import REASONS, Reason
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
    from collections.abc import Iterable

    from pigi.application import Application
    from pigi.jobs.model.view import JobView
    from pigi.operations.billing import Oversight, Reconciliation

REQUESTED_BY = "operator"
LOOK_SECONDS = 0.25
OFF = """\
Nobody is charged by these settings: STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET
and STRIPE_PRICES are not set."""
INDENT = "  "


@click.group()
def billing() -> None:
    """Compare Pigi with Stripe, check the set-up, give plans, read the billing log."""


@billing.command()
@json_option
def status(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show what is stored: statuses, events, and what the last reconciliation found. No request goes to Stripe."""
    with open_application() as application:
        seen = oversee(application)
    found = _explained(seen.last_whole.findings if seen.last_whole else ())
    answer(as_json, {**vars(seen), "findings": found}, _status_text(seen))


@billing.command()
@click.option("--wait", type=click.IntRange(0, 3600), default=120, show_default=True, help="Seconds to wait for it.")
@json_option
def check(wait: int, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Compare all that Stripe has with all that Pigi has, now, and check the account's set-up.

    A worker does it, as every night. Exits with 1 if something is wrong with the set-up, or if it did not come to its
    end.
    """
    with open_application() as application:
        job = _ended(application, request_reconciliation(application, REQUESTED_BY), wait)
        run = read_run(application, job.id)
    done = job.state == "succeeded"
    off = done and run is None  # by the worker's settings, which are what counts
    findings = _explained(run.findings if run else ())
    text = _unfinished_text(job) if not done else OFF if run is None else _result_text(run)
    ok = done and not findings
    answer(as_json, {"ok": ok, "charged": not off, "job": job, "run": run, "findings": findings}, text)
    if not ok:
        raise click.exceptions.Exit(1)


@billing.command()
@click.argument("organisation")
@json_option
def sync(organisation: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Read the subscription of ORGANISATION (its id) from Stripe and store it."""
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation):
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
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation):
        with application.control.begin() as session:
            grant_plan(session, application, organisation, given, CLI)
        applies, charged = plan_of(application, organisation), application.plans.charged
    data = {"organisation_id": organisation, "granted": given, "applies": applies.name}
    answer(as_json, data, f"{applies.title} applies from now on." if charged else f"It is written down.\n{OFF}")


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
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation or ""):
        found = read_log(application, customer or customer_for(application, str(organisation)))
    nothing = f"The billing log has no line of {said_back(customer or str(organisation))}."
    answer(as_json, found, _log_text(found) if found else nothing)


def _ended(application: Application, job: JobView, wait: int) -> JobView:
    """The job at its end, or as it is after ``wait`` seconds."""
    latest = time.monotonic() + wait
    while not job.ended and time.monotonic() < latest:
        time.sleep(LOOK_SECONDS)
        job = read_job(application, job.id, None)
    return job


def _explained(codes: Iterable[str]) -> list[dict[str, str]]:
    """Findings with their words; one that this version does not know keeps its code alone."""
    return [{"code": code, **vars(FINDINGS.get(code, Reason("", "")))} for code in codes]


def _status_text(seen: Oversight) -> str:
    """All of `pigi billing status`."""
    last = seen.last_whole
    waiting = f", the oldest since {moment(seen.oldest_waiting)}" if seen.waiting else ""
    facts = [
        ("organisations", _counts(seen.statuses) or "none is a customer"),
        ("events", _counts(seen.events) or "none in 30 days"),
        ("waiting", f"{seen.waiting}{waiting}"),
        ("reconciled", "never" if last is None else f"{moment(last.ended_at)} (UTC)"),
    ]
    parts = [] if seen.charged else [OFF]
    return "\n\n".join([*parts, table(facts), *([] if last is None else [_result_text(last)])])


def _result_text(run: Reconciliation) -> str:
    """What a whole reconciliation found."""
    counts = [
        ("customers", str(run.customers), "looked at"),
        ("drift", str(run.drift), "stood otherwise at Stripe, and were put right"),
        ("missed", str(run.missed), "events that no webhook had brought"),
        ("strangers", str(run.strangers), "subscriptions of nobody here"),
    ]
    return f"{table(counts)}\n\n{_findings(run.findings)}"


def _unfinished_text(job: JobView) -> str:
    """Why a reconciliation that was requested is not done, and what to do."""
    reason = REASONS.get(job.reason or "")
    why = f" {reason.title} {reason.advice}" if reason else ""
    ask = f"`pigi jobs show {job.id}` tells more."
    if job.ended:
        return _wrapped(f"The reconciliation ended as {job.state}.{why} {ask}")
    if job.state == "queued":
        start = "Start `pigi up` or `pigi worker slow`, and `pigi beat`; it goes on by itself."
        return _wrapped(f"No worker has taken the reconciliation yet. {start} {ask}")
    return _wrapped(f"The reconciliation is {job.state}.{why} It goes on by itself; {ask}")


def _log_text(found: list[dict[str, Any]]) -> str:
    """The billing log's lines."""
    head = ("WHEN (UTC)", "WHAT", "STATUS", "AMOUNT", "TAXED IN", "INVOICE", "EVENT")
    return table([head, *(_line(line) for line in found)])


def _line(line: dict[str, Any]) -> tuple[str, ...]:
    amount = f"{line['amount']} {line['currency']}"
    places = (line["tax_country"] or "-", line["invoice_id"] or "-", line["event_id"])
    return moment(line["occurred_at"]), line["event_type"], line["status"], amount, *places


def _findings(codes: Iterable[str]) -> str:
    found = _explained(codes)
    if not found:
        return green("Nothing is wrong with the set-up, as far as Stripe's API shows it.")
    return "\n".join(
        f"{red(one['code'])}\n{_wrapped(' '.join((one['title'], one['advice'])).strip(), INDENT)}" for one in found
    )


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.items())


def _wrapped(text: str, indent: str = "") -> str:
    return click.wrap_text(text, WIDTH, indent, indent)
