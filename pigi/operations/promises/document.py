"""The promises as a document that anybody can check: each with its controls and what they found, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.clock import now
from pigi.operations.policy import policy_history
from pigi.operations.promises.standing import promises_standing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.policy import Policy
    from pigi.operations.promises.standing import ControlStanding, PromiseStanding


def promises_document(application: Application) -> dict[str, Any]:
    """The document as it stands now, with its signature (Ed25519 over the form of RFC 8785)."""
    return document_of(application, promises_standing(application))


def document_of(application: Application, standings: Iterable[PromiseStanding]) -> dict[str, Any]:
    """The document that says how these stand, signed."""
    current = policy_history(application).current
    document = {
        "generated_at": _text(now()),
        "policy_version": current.number,
        "promises": [_promise(standing, current.policy) for standing in standings],
    }
    return application.keyring.signer.sign_document(document)


def _promise(standing: PromiseStanding, policy: Policy) -> dict[str, Any]:
    return {
        "id": standing.id,
        "title": standing.title,
        "sentences": policy.resting_on(standing.id),
        "state": standing.state.value,
        "checked_at": _text(standing.checked_at),
        "valid_until": _text(standing.valid_until),
        "controls": [_control(own) for own in standing.controls],
    }


def _control(standing: ControlStanding) -> dict[str, Any]:
    return {
        "name": standing.control.name,
        "kind": standing.control.kind.value,
        "state": standing.state.value,
        "evidence": standing.evidence,
        "checked_at": _text(standing.checked_at),
        "valid_until": _text(standing.valid_until),
        "shows": standing.control.shows,
        "does_not_show": standing.control.does_not_show,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
