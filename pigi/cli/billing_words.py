"""How billing stands, in words for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pigi.cli.output import WIDTH, green, moment, red, table
from pigi.domain.billing_findings import FINDINGS
from pigi.domain.reasons import REASONS, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pigi.jobs.model.view import JobView
    from pigi.operations.billing import Oversight, Reconciliation

OFF = """\
Nobody is charged by these settings: STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET
and STRIPE_PRICES are not set."""
INDENT = "  "


def explained(codes: Iterable[str]) -> list[dict[str, str]]:
    """Findings with their words; one that this version does not know keeps its code alone."""
    return [{"code": code, **vars(FINDINGS.get(code, Reason("", "")))} for code in codes]


def standing(seen: Oversight) -> str:
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
    return "\n\n".join([*parts, table(facts), *([] if last is None else [outcome(last)])])


def outcome(run: Reconciliation) -> str:
    """What a whole reconciliation found."""
    counts = [
        ("customers", str(run.customers), "looked at"),
        ("drift", str(run.drift), "stood otherwise at Stripe, and were put right"),
        ("missed", str(run.missed), "events that no webhook had told"),
        ("strangers", str(run.strangers), "subscriptions of nobody here"),
    ]
    return f"{table(counts)}\n\n{_findings(run.findings)}"


def unfinished(job: JobView) -> str:
    """Why a reconciliation that was asked for is not done, and what to do."""
    reason = REASONS.get(job.reason or "")
    why = f" {reason.title} {reason.advice}" if reason else ""
    ask = f"`pigi jobs show {job.id}` tells more."
    if job.ended:
        return _wrapped(f"The reconciliation ended as {job.state}.{why} {ask}")
    if job.state == "queued":
        start = "Start `pigi up` or `pigi worker slow`, and `pigi beat`; it goes on by itself."
        return _wrapped(f"No worker has taken the reconciliation yet. {start} {ask}")
    return _wrapped(f"The reconciliation is {job.state}.{why} It goes on by itself; {ask}")


def lines(found: list[dict[str, Any]]) -> str:
    """The billing log's lines."""
    head = ("WHEN (UTC)", "WHAT", "STATUS", "AMOUNT", "TAXED IN", "INVOICE", "EVENT")
    return table([head, *(_line(line) for line in found)])


def _line(line: dict[str, Any]) -> tuple[str, ...]:
    amount = f"{line['amount']} {line['currency']}"
    places = (line["tax_country"] or "-", line["invoice_id"] or "-", line["event_id"])
    return moment(line["occurred_at"]), line["event_type"], line["status"], amount, *places


def _findings(codes: Iterable[str]) -> str:
    found = explained(codes)
    if not found:
        return green("Nothing is wrong with the set-up, as far as Stripe's API shows it.")
    return "\n".join(
        f"{red(one['code'])}\n{_wrapped(' '.join((one['title'], one['advice'])).strip(), INDENT)}" for one in found
    )


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.items())


def _wrapped(text: str, indent: str = "") -> str:
    return click.wrap_text(text, WIDTH, indent, indent)
