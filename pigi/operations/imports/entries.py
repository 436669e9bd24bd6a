"""What a project or a resource of the file says, held to what may be saved, by the same door as saving.

Judging needs nothing but the file and what the organisation chose, so reading and importing judge alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pigi.clock import now
from pigi.domain.limits import DESCRIPTION_LENGTH, PROJECTS, RESOURCES
from pigi.domain.names import flaw_in_name
from pigi.domain.resources import RESOURCES as KINDS
from pigi.domain.resources import ResourceState
from pigi.domain.resources.lint import NO_CHOICES
from pigi.domain.resources.rules import LENIENT
from pigi.domain.resources.saving import CheckedContent, check_content, check_words
from pigi.domain.resources.secrets import DIGEST, MOST_EXAMPLES
from pigi.errors import Refused
from pigi.operations.configuration import History, Origin, PastRevision, folded
from pigi.operations.imports.document import TOO_HEAVY, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pigi.domain.resources.lint import Choices
    from pigi.domain.resources.secrets import Sign

_NOT_IN_PROSE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]")
STATES: Final = frozenset(ResourceState)


@dataclass(frozen=True, repr=False)
class CheckedProject:
    """A project that may be made."""

    name: str
    description: str
    state: ResourceState


@dataclass(frozen=True, repr=False)
class Judged:
    """An entry and what it comes to: a project, a resource with its history, or what is wrong with it."""

    entry: Entry
    project: CheckedProject | None = None
    history: History | None = None
    code: str = ""
    flaws: tuple[dict[str, str | int], ...] = ()


def judged(entries: Iterable[Entry], sign: Sign, choices: Choices = NO_CHOICES) -> Iterator[Judged]:
    """Each entry judged, in order, as the organisation chose; what is in a refused project is refused with it.

    ``sign`` names examples.
    """
    projects: set[str] = set()
    project: CheckedProject | None = None
    names: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.resource is None:
            one = _judge(entry, sign, choices)
            project, names = one.project, set()
            if project is not None and project.state == ResourceState.ACTIVE:
                one = _alone(one, projects, folded(project.name), PROJECTS, "too_many_projects")
                project = one.project
        elif project is None:
            one = _refused(entry, "import_project_refused", "", "its project is not imported")
        else:
            one = _judge(entry, sign, choices)
            if one.history is not None and one.history.state == ResourceState.ACTIVE:
                latest = one.history.latest.content
                one = _alone(one, names, (latest.kind, folded(latest.name)), RESOURCES, "too_many_resources")
        yield one


def _judge(entry: Entry, sign: Sign, choices: Choices) -> Judged:
    try:
        if entry.resource is None:
            return Judged(entry, project=_project(entry.value))
        return Judged(entry, history=_history(entry.value, sign, choices))
    except Refused as refusal:
        flaws: Any = refusal.details.get("errors", [])
        return Judged(entry, code=refusal.code, flaws=tuple(flaws))


def _alone(one: Judged, known: set[Any], name: object, most: int, code: str) -> Judged:
    """Refuse what has the name of an earlier one in use, or is one too many."""
    if name in known:
        return _refused(one.entry, "name_taken", "", "the file has another of this name in use")
    if len(known) >= most:
        return _refused(one.entry, code, "", f"the file has more than {most} in use")
    known.add(name)
    return one


def _refused(entry: Entry, code: str, pointer: str, message: str) -> Judged:
    return Judged(entry, code=code, flaws=({"pointer": pointer, "message": message},))


def _invalid(pointer: str, message: str) -> Refused:
    return Refused("invalid", errors=[{"pointer": pointer, "message": message}])


def _object(value: Any) -> dict[str, Any]:
    if value is TOO_HEAVY:
        raise _invalid("", "is larger, with all its revisions, than what can be imported")
    if not isinstance(value, dict):
        raise _invalid("", "must be an object")
    return value


def _project(value: Any) -> CheckedProject:
    words = _object(value)
    name, description = words.get("name"), words.get("description") or ""
    if not isinstance(name, str):
        raise _invalid("/name", "must be a text")
    if flaw := flaw_in_name(name):
        raise _invalid("/name", flaw)
    if not isinstance(description, str) or len(description) > DESCRIPTION_LENGTH or _NOT_IN_PROSE.search(description):
        raise _invalid("/description", f"must be a text of at most {DESCRIPTION_LENGTH} characters, without controls")
    check_words({"name": name, "description": description})
    return CheckedProject(name, description, _state(words))


def _state(value: dict[str, Any]) -> ResourceState:
    state = value.get("state", ResourceState.ACTIVE)
    if not isinstance(state, str) or state not in STATES:
        raise _invalid("/state", f"must be one of: {', '.join(ResourceState)}")
    return ResourceState(state)


def _history(value: Any, sign: Sign, choices: Choices) -> History:
    resource = _object(value)
    kind, revisions = resource.get("kind"), resource.get("revisions")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _invalid("/kind", f"must be one of: {', '.join(KINDS)}")
    if not isinstance(revisions, list) or not revisions:
        raise _invalid("/revisions", "must list at least one revision")
    state = _state(resource)
    # What a resource was could be saved in its time; what it is now is for the organisation to decide about.
    past = [_revision(kind, number, one, sign, LENIENT) for number, one in enumerate(revisions[:-1], start=1)]
    past.append(_revision(kind, len(revisions), revisions[-1], sign, choices))
    return History(kind, state, tuple(past))


def _revision(kind: str, number: int, value: Any, sign: Sign, choices: Choices) -> PastRevision:
    place = f"/revisions/{number - 1}"
    if not isinstance(value, dict):
        raise _invalid(place, "must be an object")
    told = value.get("number", number)
    if isinstance(told, bool) or told != number:
        place += "/number"
        raise _invalid(place, "revisions must be numbered from 1, without gaps and in order")
    origin = value.get("origin", Origin.WRITTEN)
    if not isinstance(origin, str) or origin not in frozenset(Origin):
        place += "/origin"
        raise _invalid(place, f"must be one of: {', '.join(Origin)}")
    return PastRevision(_content(kind, place, value, sign, choices), Origin(origin), _moment(place, value))


def _examples(place: str, value: dict[str, Any]) -> frozenset[str]:
    """What the file calls examples, as whoever saved it elsewhere said."""
    told = value.get("examples") or []
    if (
        not isinstance(told, list)
        or len(told) > MOST_EXAMPLES
        or not all(isinstance(one, str) and DIGEST.fullmatch(one) for one in told)
    ):
        place += "/examples"
        raise _invalid(place, "must list names of examples, at most 50, as refusals give them")
    return frozenset(told)


def _content(kind: str, place: str, value: dict[str, Any], sign: Sign, choices: Choices) -> CheckedContent:
    examples = _examples(place, value)
    try:
        return check_content(kind, value.get("content"), examples, choices, sign)
    except Refused as refusal:
        flaws: Any = refusal.details.get("errors", [])
        moved = [
            {name: f"{place}/content{told}" if name in {"pointer", "slot"} else told for name, told in flaw.items()}
            for flaw in flaws
        ]
        raise Refused(refusal.code, errors=moved) from None


def _moment(place: str, value: dict[str, Any]) -> datetime:
    """When it was made; the future counts as now, since nothing can have been made then."""
    told, moment = value.get("created_at"), now()
    untimely = _invalid(f"{place}/created_at", "must be a moment with its offset, as RFC 3339 writes it")
    if told is None:
        return moment
    try:
        at = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise untimely
    try:
        return min(at.astimezone(UTC), moment)
    except OverflowError:
        raise untimely from None
