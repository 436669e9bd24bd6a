"""Publishing a version: what changed, whether that is material, from when it counts, and who is to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from pigi.clock import now
from pigi.domain.materiality import PolicyChange, compare_facts, compare_policies
from pigi.domain.policy import NOTICE, Change, Policy, PolicyError, digest_of, read_flat_policy
from pigi.jobs.kinds import ANNOUNCE_POLICY
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.audit import record
from pigi.operations.policy.facts import code_facts, own_policy, shipped_digest
from pigi.operations.policy.notices import count_people
from pigi.operations.policy.versions import VERSION, PolicyHistory, add_version, policy_history, read_versions
from pigi.store.engines import lock_name

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.policy.versions import PolicyVersionView
    from pigi.store.sessions import ControlSession

LOCK = "policy"
WRITING = timedelta(hours=1)
"""A file says 30 days from when it was written; what it lacks of them at publishing is added, up to so much."""
FURTHEST = timedelta(days=366)
"""How far ahead a version may count: no later one can count before it, so a slip in the year would be for good."""
RAISED = PolicyChange("by-hand", "changed", ("whoever publishes it says that it is material",))


@dataclass(frozen=True)
class Publication:
    """What publishing did, or would do.

    Attributes:
        version: the number of the version; of one that was published before, its own.
        change: wording or material.
        changes: what changed, with the reasons for which it is material.
        effective_at: from when it counts.
        published: whether a new version was, or would be, published; not if nothing changed.
        people: how many are, or would be, told by mail.
    """

    version: int
    change: Change
    changes: tuple[PolicyChange, ...]
    effective_at: datetime
    published: bool
    people: int


@dataclass(frozen=True)
class Proposal:
    """What is to be published: a file's data, or with None this release's text; and from when it is to count."""

    data: Any = None
    effective_at: datetime | None = None


def publish_policy(
    application: Application, by: str, proposal: Proposal, *, material: bool = False, dry_run: bool = False
) -> Publication:
    """Publish a version, or with ``dry_run`` say what would come of it, as ``operator:ID``.

    What changed is compared with the newest version, and so is what the code does with data. ``material`` raises a
    change of wording; nothing lowers a material one, which is announced 30 days ahead. Whoever publishes the same
    again is told that it is published, and nobody is mailed.

    Raises PolicyError, which names the place: a policy that cannot be one, or a date that is too early or far away.
    """
    policy_history(application)
    with application.control.begin() as session:
        connection = session.connection()
        lock_name(connection, LOCK)
        history = PolicyHistory(read_versions(connection), now())
        newest = history.newest
        policy = _policy_of(application, proposal, newest)
        changes = (*compare_policies(newest.policy, policy), *compare_facts(newest.facts, code_facts()))
        if not changes and digest_of(policy) == newest.digest:
            _acknowledge(session, newest)
            return Publication(newest.number, Change(newest.change), (), newest.effective_at, False, 0)
        changes = (*changes, RAISED) if material and not _is_material(changes) else changes
        change = Change.MATERIAL if _is_material(changes) else Change.WORDING
        effective_at = _date_of(_asked(proposal), change, history)
        number = newest.number + 1
        people = count_people(connection, history.moment) if change is Change.MATERIAL else 0
        if not dry_run:
            add_version(connection, policy, number, change.value, changes, history.moment, effective_at, by)
            _tell(session, application, by, number, change)
    return Publication(number, change, changes, effective_at, True, people)


def _is_material(changes: tuple[PolicyChange, ...]) -> bool:
    return any(change.reasons for change in changes)


def _policy_of(application: Application, proposal: Proposal, newest: PolicyVersionView) -> Policy:
    if proposal.data is None:
        return own_policy(application.settings)
    return read_flat_policy(proposal.data, newest.policy)


def _acknowledge(session: ControlSession, newest: PolicyVersionView) -> None:
    """Note that a release's new text, blanks filled in, says what is published already."""
    if newest.shipped != shipped_digest():
        this = update(VERSION).where(VERSION.c.number == newest.number)
        session.connection().execute(this.values(shipped=shipped_digest()))


def _tell(session: ControlSession, application: Application, by: str, number: int, change: Change) -> None:
    """The entry in the audit chain, and of a material version the job that announces it."""
    record(session, application, "policy.published", by, None, None, version=number, change=change.value)
    if change is Change.MATERIAL:
        enqueue(session, application.notifier, ANNOUNCE_POLICY, organisation_id=None, requested_by=by)


def _asked(proposal: Proposal) -> datetime | None:
    """From when it is to count, as the command or the file says."""
    if proposal.effective_at is not None:
        return proposal.effective_at
    given = proposal.data.get("effective_at") if isinstance(proposal.data, dict) else None
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise PolicyError("effective_at", "must be a day or a moment, such as 2027-01-31T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date_of(asked: datetime | None, change: Change, history: PolicyHistory) -> datetime:
    """From when it counts; raises PolicyError for a date that is too early or far away."""
    newest, moment = history.newest.effective_at, history.moment
    if asked is not None and asked > max(moment + FURTHEST, newest):
        raise PolicyError("effective_at", f"at most {FURTHEST.days} days ahead: {_words(moment + FURTHEST)} or earlier")
    if asked is not None and asked < newest:
        raise PolicyError("effective_at", f"version {history.newest.number} counts from {_words(newest)}: not before")
    if change is Change.WORDING:
        return max(asked or moment, moment, newest)
    earliest = max(moment + NOTICE, newest)
    if asked is not None and asked < earliest - WRITING:
        raise PolicyError(
            "effective_at", f"a material change is announced {NOTICE.days} days ahead: {_words(earliest)} or later"
        )
    return max(asked or earliest, earliest)


def _words(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
