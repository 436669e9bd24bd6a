"""Controls of the policy: what it must say, its date, and that people hear of what changes (P33, P38, P39)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.materiality import compare_facts
from pigi.operations.policy import code_facts, count_notices, late_notices, policy_history, unpublished_changes
from pigi.operations.promises.visits import Visitor, forget_visits

if TYPE_CHECKING:
    from pigi.application import Application

AUTHORITY = "supervisory authority"


def _page(application: Application) -> str:
    forget_visits(application)
    return Visitor.of(application).ask("GET", "/policy").text


def complaint_is_said(application: Application) -> Finding:
    """Whether the policy that counts says that everybody can complain, and the page shows it."""
    current = policy_history(application).current
    saying = [one for one in current.policy.sentences if "P33" in one.promises and AUTHORITY in one.text.casefold()]
    page = _page(application)
    hidden = [one.id for one in saying if f'id="s-{one.id}"' not in page]
    if not saying or hidden:
        return Finding(False, f"{len(saying)} sentences of version {current.number} say so, {len(hidden)} not shown.")
    return Finding(True, f"{len(saying)} sentences of version {current.number} say how, and the page shows them.")


def policy_carries_its_date(application: Application) -> Finding:
    """Whether every version is as it was published, and the page has the date from which its text counts."""
    history = policy_history(application)
    changed = [str(one.number) for one in history.versions if not one.sound]
    dates = [one.effective_at for one in history.versions]
    if changed or dates != sorted(dates):
        return Finding(False, f"Not as published: version {', '.join(changed) or 'dates'}.")
    if unsaid := unpublished_changes(application):
        return Finding(False, f"This release's text says {len(unsaid)} things otherwise, and nobody published it.")
    current, page = history.current, _page(application)
    date = current.effective_at.strftime("%Y-%m-%dT%H:%M:%S")
    if f'datetime="{date}' not in page or f"Version {current.number}." not in page:
        return Finding(False, f"The page does not show version {current.number} with its date {date}.")
    return Finding(True, f"{len(dates)} versions as published; the page shows version {current.number}, of {date}Z.")


def material_changes_announced(application: Application) -> Finding:
    """Whether everybody was mailed about each material version, 30 days ahead."""
    late, hasty = late_notices(application)
    counts = count_notices(application)
    if late or hasty:
        return Finding(False, f"{late} people were not mailed; {hasty} versions left less than 30 days.")
    told = sum(one.sent + one.unknown + one.failed + one.queued for one in counts)
    return Finding(True, f"{len(counts)} material versions, {told} mails asked for, nobody left out for a day.")


def code_does_what_was_published(application: Application) -> Finding:
    """Whether the code has no recipient, purpose, category or period that the newest version was published without."""
    newest = policy_history(application).newest
    facts = code_facts()
    new = [change.id.removeprefix("code:") for change in compare_facts(newest.facts, facts) if change.reasons]
    if new:
        return Finding(False, f"Since version {newest.number} the code has others: {', '.join(new[:5])}.")
    counted = ", ".join(f"{len(found)} {kind}" for kind, found in facts.items())
    return Finding(True, f"{counted}: as when version {newest.number} was published.")


CONTROLS = (
    Control(
        "complaint-is-said",
        "P33",
        Evidence.SYNTHETIC,
        complaint_is_said,
        "The policy says that everybody can complain to a supervisory authority, on the page that visitors see.",
        "How an authority deals with a complaint.",
    ),
    Control(
        "policy-carries-its-date",
        "P38",
        Evidence.SYNTHETIC,
        policy_carries_its_date,
        "Each version's text matches the digest that it was published with; the page shows the one that counts, with "
        "its date; and no release brought a text that nobody published.",
        "Whether somebody with the database's password wrote a text and its digest together.",
    ),
    Control(
        "material-changes-announced",
        "P39",
        Evidence.OBSERVED,
        material_changes_announced,
        "Within a day of a material version a mail to everybody was asked for, 30 days before it counts.",
        "Whether a mail was read, or arrived where its state is unknown.",
    ),
    Control(
        "code-does-what-was-published",
        "P39",
        Evidence.OBSERVED,
        code_does_what_was_published,
        "No recipient, purpose, category of data or period came into the code since the newest version was published.",
        "What a sentence says of them: a person reads that.",
    ),
)
