"""Pages of jobs."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.ids import is_id
from pigi.jobs.kinds import CATALOGUE, kind_of
from pigi.operations.access import may_change
from pigi.operations.jobs import BY_KEYS, BY_PIGI, COUNTED, count_by_state, list_jobs, read_job
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.names import drafts_of, names_in
from web.pages.shell.query import day_of, one_of, paged
from web.pages.shell.words import STATES

if TYPE_CHECKING:
    from datetime import date

    from pigi.jobs.model.view import JobView
    from pigi.operations.jobs import WantedJobs
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

ORDERS = {"": "Requested last", "oldest": "Requested first"}
FIELDS = ("kind", "by", "from", "to", "sort", "all")
"""What the query may ask for beside the state; each is shown again in the form."""


def jobs_page(context: OrganisationContext) -> Reply:
    """Jobs, newest first, unless the query asks for others."""
    chosen, names = _chosen(), names_in(context)
    where, wanted = context.caller.organisation_id, _wanted(chosen)
    counts = count_by_state(context.application, where, **wanted)
    state = one_of("state", list(JobState))
    read = partial(list_jobs, context.application, where, oldest_first=chosen["sort"] == "oldest", **wanted)
    pages = paged(partial(read, state=state or None), "id")
    return draw(
        context,
        "jobs/list.html",
        here="jobs",
        jobs=pages.items,
        about=drafts_of(context, pages.items),
        names=names,
        pages=pages,
        chosen=chosen,
        narrowed=any(chosen.values()) or bool(state),
        states=_tabs(chosen, state, counts),
        kinds=_kinds(),
        people=[*names.members(), (BY_KEYS, "API keys"), (BY_PIGI, "Pigi itself")],
        orders=ORDERS,
        polls=any(not job.ended for job in pages.items),
        here_path=request.full_path.rstrip("?"),
    )


def _kinds() -> list[str]:
    """Those that lists offer, by title."""
    return sorted((kind.name for kind in CATALOGUE.values() if kind.listed), key=lambda name: kind_of(name).title)


def _chosen() -> dict[str, str]:
    days = {name: day.isoformat() if (day := day_of(name)) else "" for name in ("from", "to")}
    known = {"kind": _kinds(), "sort": tuple(ORDERS), "all": ("yes",)}
    person = request.args.get("by", "")
    is_known = person in {BY_KEYS, BY_PIGI} or (person.startswith("account:") and is_id(person[len("account:") :]))
    found = {**{name: one_of(name, values) for name, values in known.items()}, **days, "by": person if is_known else ""}
    return {name: found[name] for name in FIELDS}


def _wanted(chosen: dict[str, str]) -> WantedJobs:
    until = day_of("to")
    return {
        "kind": chosen["kind"] or None,
        "requested_by": chosen["by"] or None,
        "since": _midnight(day_of("from")),
        "until": _midnight(until and until + timedelta(days=1)),
        "housekeeping": bool(chosen["all"]),
    }


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _tabs(chosen: dict[str, str], here: str, counts: dict[str, int]) -> list[dict[str, object]]:
    """A tab a state that has jobs, or is shown, with its count; the first is for all of them."""
    kept = {name: value for name, value in chosen.items() if value}
    total = sum(counts.values())
    shown = [("", "All", total), *((state, STATES[state], counts.get(state, 0)) for state in JobState)]
    more = "+" if total >= COUNTED else ""
    return [
        {
            "state": state,
            "title": title,
            "path": f"{request.path}?{urlencode({**kept, 'state': state})}" if state or kept else request.path,
            "here": state == here,
            "count": f"{count:,}{more}",
        }
        for state, title, count in shown
        if count or state in {"", here}
    ]


def job_page(context: OrganisationContext, job: str) -> Reply:
    """A job: its state, timeline and effects."""
    view = read_job(context.application, job, context.caller.organisation_id)
    context.facts.job_id = view.id
    kind = kind_of(view.kind)
    return draw(
        context,
        "jobs/job.html",
        here="jobs",
        job=view,
        about=drafts_of(context, [view]),
        changeable=may_change(context.caller, view.kind),
        retryable=_retryable(view),
        retry_needs=kind.retry_needs,
        own_page=kind.path(kind.page, view.subject_id),
    )


def _retryable(job: JobView) -> bool:
    return job.state == JobState.FAILED and not job.buried and job.kind in CATALOGUE


ROUTES = (
    page(f"{OWN}/jobs", jobs_page, Action.JOBS_READ),
    page(f"{OWN}/jobs/<job>", job_page, Action.JOBS_READ),
)
