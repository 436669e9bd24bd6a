"""The document of the promises: its form as a JSON Schema (draft 2020-12), and whether one contradicts itself.

Nothing here knows Pigi's databases: whoever has a document and the published keys can come to the same verdict.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.controls import SHOWS_WITHIN, Evidence, State
from pigi.domain.promises import PROMISES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WEAKEST_FIRST: Final = (State.FAILING, State.STALE, State.ATTESTED, State.HOLDING)
"""The weakest of its controls decides about a promise."""
GREEN: Final = frozenset({State.HOLDING, State.ATTESTED})
_MOMENT: Final[dict[str, Any]] = {"type": ["string", "null"], "format": "date-time"}
_STATE: Final[dict[str, Any]] = {"enum": [state.value for state in State]}


def weakest(states: Iterable[State]) -> State:
    """How a promise stands whose controls stand so; without a control nothing is known, which is stale."""
    known = set(states)
    return next((state for state in WEAKEST_FIRST if state in known), State.STALE)


def _object(what: str, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "description": what, "properties": properties, "required": list(properties)}


_CONTROL = _object(
    "What keeps a promise, and what was found when it was last looked at.",
    name={"type": "string", "description": "Permanent."},
    kind={"enum": [kind.value for kind in Evidence]},
    state=_STATE,
    evidence={"type": "string", "description": "What was looked at; of an attested control an operator's word."},
    checked_at=_MOMENT,
    valid_until={**_MOMENT, "description": "After this it is stale, whatever it says here."},
    shows={"type": "string"},
    does_not_show={"type": "string"},
)
_PROMISE = _object(
    "A promise; the weakest of its controls decides: failing, then stale, attested, holding.",
    id={"enum": list(PROMISES)},
    title={"type": "string"},
    sentences={"type": "array", "items": {"type": "string"}, "description": "IDs of the policy's sentences."},
    state=_STATE,
    checked_at=_MOMENT,
    valid_until=_MOMENT,
    controls={"type": "array", "items": _CONTROL},
)
SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "How Pigi's promises stand",
    **_object(
        "Each promise with its controls, as they stood at `generated_at`; signed over the form of RFC 8785.",
        generated_at={"type": "string", "format": "date-time"},
        policy_version={"type": ["integer", "null"]},
        promises={"type": "array", "items": _PROMISE, "minItems": len(PROMISES), "maxItems": len(PROMISES)},
        signature=_object(
            "Ed25519 over the document without this member; base64url without padding.",
            kid={"type": "string", "description": "Which key of /.well-known/pigi-keys.json."},
            value={"type": "string"},
        ),
    ),
}


def is_promises(document: Any) -> bool:
    """Whether it has the members of such a document, whatever they hold."""
    return isinstance(document, dict) and {"generated_at", "promises", "signature"} <= document.keys()


def contradictions(document: dict[str, Any]) -> list[str]:
    """Where a document says more than its own evidence; empty if nowhere. A signature alone does not show that.

    Raises ValueError for one that has not the form of `SCHEMA`.
    """
    try:
        moment = _read(document["generated_at"])
        found = [flaw for promise in document["promises"] for flaw in _of_promise(promise, moment)]
        listed = [promise["id"] for promise in document["promises"]]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError from error
    return found if listed == list(PROMISES) else ["It does not list every promise once, in order.", *found]


def _of_promise(promise: Any, moment: datetime) -> Iterator[str]:
    controls = promise["controls"]
    if State(promise["state"]) is not weakest(State(own["state"]) for own in controls):
        yield f"{promise['id']} is said to be {promise['state']}, which its controls do not bear out."
    for own in controls:
        yield from (f"{promise['id']}, {own['name']}: {flaw}." for flaw in _of_control(own, moment))


def _of_control(own: Any, moment: datetime) -> Iterator[str]:
    state = State(own["state"])
    attested = own["kind"] == Evidence.ATTESTED
    if (attested and state is State.HOLDING) or (not attested and state is State.ATTESTED):
        yield f"a control of the kind {own['kind']} cannot be {state}"
    if state not in GREEN:
        return
    checked, until = _read(own["checked_at"]), _read(own["valid_until"])
    if not checked <= moment < until:
        yield f"it is {state} on evidence that did not count when the document was made"
    if not attested and until - checked > SHOWS_WITHIN:
        yield f"its evidence counts for more than {SHOWS_WITHIN.seconds // 60} minutes"


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
