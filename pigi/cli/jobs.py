"""`pigi jobs`: listing, showing, retrying and cancelling jobs. Facts alone, never content."""

from __future__ import annotations

import sys
from datetime import UTC
from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import said_back
from pigi.cli.failures import no_such, not_found_means
from pigi.cli.organisations import check_organisation
from pigi.cli.output import answer, json_option, moment, say, table
from pigi.domain.job_state import JobState
from pigi.domain.reasons import REASONS
from pigi.ids import is_id
from pigi.jobs.kinds import CATALOGUE
from pigi.operations import jobs as operations
from pigi.operations.audit import CLI, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession


NO_JOB = ("There is no job {}.", "`pigi jobs list` shows the ids there are; ended jobs are forgotten in time.")


@click.group()
def jobs() -> None:
    """List, show, retry and cancel jobs."""


@jobs.command(name="list")
@click.option("--organisation", help="Only of this organisation (its id).")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only in this state.")
@click.option("--kind", help="Only of this kind, such as generations.draft.")
@click.option("--requested-by", metavar="WHO", help="Only those of this pseudonym, of `api-keys`, or of `pigi` itself.")
@click.option("--since", type=click.DateTime(), help="Only those requested at this moment (UTC) or later.")
@click.option("--until", type=click.DateTime(), help="Only those requested before this moment (UTC).")
@click.option("--without-housekeeping", is_flag=True, help="Leave out what comes by itself and nobody waits for.")
@click.option("--oldest-first", is_flag=True, help="In the order in which they were requested.")
@click.option("--limit", type=click.IntRange(1, operations.PAGE), default=50, show_default=True)
@click.option("--before", metavar="ID", help="Only those that follow this one: the next page.")
@json_option
def list_some(  # noqa: PLR0913 - options
    organisation: str | None,
    state: str | None,
    kind: str | None,
    requested_by: str | None,
    since: datetime | None,
    until: datetime | None,
    without_housekeeping: bool,  # noqa: FBT001 - an option
    oldest_first: bool,  # noqa: FBT001 - an option
    limit: int,
    before: str | None,
    as_json: bool,  # noqa: FBT001 - an option
) -> None:
    """List jobs, those requested last first."""
    if kind is not None and kind not in CATALOGUE:
        message = f"there is no kind {said_back(kind)}; kinds are {', '.join(sorted(CATALOGUE))}"
        raise click.BadParameter(message, param_hint="--kind")
    if before is not None and not is_id(before):
        raise no_such(*NO_JOB, before)
    wanted: operations.WantedJobs = {
        "state": state,
        "kind": kind,
        "requested_by": requested_by,
        "since": since and since.replace(tzinfo=UTC),
        "until": until and until.replace(tzinfo=UTC),
        "housekeeping": not without_housekeeping,
    }
    with open_application() as application:
        if organisation is not None:
            check_organisation(application, organisation)
        found = operations.list_jobs(
            application, organisation, limit=limit, before=before, oldest_first=oldest_first, **wanted
        )
    rows = [(view.id, view.kind, view.state, view.reason or "-", moment(view.created_at)) for view in found]
    text = table([("ID", "KIND", "STATE", "REASON", "REQUESTED (UTC)"), *rows]) if found else "No such jobs."
    answer(as_json, found, text)


@jobs.command()
@click.argument("job_id", metavar="ID")
@json_option
def show(job_id: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show a job with its timeline and its effects.

    A due job that was not published waits for a free slot of its partition; a published one, for a worker of its queue.
    """
    with open_application() as application, not_found_means(*NO_JOB, job_id):
        view = operations.read_job(application, job_id, None)
    answer(as_json, view, describe(view))


@jobs.command()
@click.argument("job_id", metavar="ID")
@json_option
def cancel(job_id: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Cancel a job; the answer lists the effects that had already happened."""
    with open_application() as application, not_found_means(*NO_JOB, job_id):
        view = operations.cancel_job(application, job_id, None, _recording(application, "operator.job_cancelled"))
    answer(as_json, view, describe(view))


@jobs.command()
@click.argument("job_id", metavar="ID")
@json_option
def retry(job_id: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Have a failed job done again. A generation's purpose is read from standard input, never from an argument."""
    with open_application() as application, not_found_means(*NO_JOB, job_id):
        view = operations.read_job(application, job_id, None)
        purpose = _purpose() if _needs_purpose(view) else None
        view = operations.retry_job(application, job_id, None, purpose, _recording(application, "operator.job_retried"))
    answer(as_json, view, describe(view))


@jobs.command(name="retry-all")
@click.option("--kind", type=click.Choice(sorted(CATALOGUE)), metavar="KIND", help="Only of this kind.")
@click.option("--organisation", help="Only of this organisation (its id).")
@click.option("--reason", type=click.Choice(sorted(REASONS)), metavar="CODE", help="Only those that failed with this.")
@json_option
def retry_some(kind: str | None, organisation: str | None, reason: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Have failed jobs done again, up to 100 at once; those left are counted by `pigi jobs list --state failed`."""
    with open_application() as application:
        if organisation is not None:
            check_organisation(application, organisation)
        wanted = operations.Matching(kind, organisation, reason)
        outcome = operations.retry_all(application, wanted, _recording(application, "operator.job_retried"))
    answer(as_json, outcome, _outcome(outcome, "retried"))


@jobs.command(name="cancel-all")
@click.option("--kind", type=click.Choice(sorted(CATALOGUE)), metavar="KIND", required=True, help="Of this kind.")
@click.option("--organisation", help="Only of this organisation (its id).")
@json_option
def cancel_some(kind: str, organisation: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Cancel jobs of a kind that wait or run, up to 100 at once."""
    with open_application() as application:
        if organisation is not None:
            check_organisation(application, organisation)
        wanted = operations.Matching(kind, organisation)
        outcome = operations.cancel_all(application, wanted, _recording(application, "operator.job_cancelled"))
    answer(as_json, outcome, _outcome(outcome, "cancelled"))


def _outcome(outcome: operations.Outcome, done: str) -> str:
    refused = [
        f"{count} not: {REASONS[code].title if code in REASONS else code}" for code, count in outcome.refused.items()
    ]
    return "\n".join(
        [f"{outcome.done} {done}.", *refused, *(["There are more: run it again."] if outcome.more else [])]
    )


def _recording(application: Application, act: str) -> Callable[[ControlSession, JobView], None]:
    """Record an operator's act in the audit chain, in the transaction that does it (P19)."""
    return lambda session, view: record(
        session, application, act, CLI, view.organisation_id, f"job:{view.id}", job=view.id
    )


def describe(view: JobView) -> str:
    """A job in words, for a terminal."""
    reason = REASONS.get(view.reason or "")
    advice = reason.advice if reason and view.next_try_at is None else ""
    facts = [
        ("job", view.id),
        ("kind", view.kind),
        ("organisation", view.organisation_id or "-"),
        ("state", view.state + (", to be cancelled" if view.cancel_requested and not view.ended else "")),
        *([("reason", f"{view.reason}: {reason.title} {advice}".rstrip())] if reason else []),
        ("queue", view.queue or "-"),
        ("partition", view.partition or "-"),
        ("requested", moment(view.created_at)),
        ("next try" if view.next_try_at else "due", moment(view.due_at)),
        ("published", moment(view.published_at)),
        ("attempts", f"{view.attempt}, of which failed {view.failures}"),
    ]
    moves = [(entry.at, entry.state, f"attempt {entry.attempt}", entry.reason or "") for entry in view.timeline]
    effects = [(effect.key, effect.state, effect.policy, f"begun {effect.tries} times") for effect in view.effects]
    parts = [table(facts)]
    parts += [f"timeline (UTC)\n{_indented(table(moves))}"] if moves else []
    parts += [f"effects\n{_indented(table(effects))}"] if effects else []
    return "\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _needs_purpose(view: JobView) -> bool:
    kind = CATALOGUE.get(view.kind)
    return kind is not None and kind.retry_needs == "purpose" and view.state == JobState.FAILED and not view.buried


def _purpose() -> str | None:
    if sys.stdin.isatty():
        say("The purpose, then Ctrl-D on a line of its own:")
    return sys.stdin.read().strip() or None
