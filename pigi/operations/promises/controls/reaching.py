"""Controls of what parts tenants: a canary tries to reach another's (P08), and looks into its own (P16)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.controls import Control, Evidence, Finding
from pigi.ids import new_id
from pigi.operations.promises.canary import HOME, STRANGER, resident, signed_in
from pigi.operations.promises.visits import Visitor, forget_visits
from pigi.store.sealing import SealBrokenError
from pigi.store.tenant import Project

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.promises.canary import Canary

PROJECT: Any = Project.__table__
DOCUMENT = "/api/v1/openapi.json"
OWN = "{organisation}"
VARIABLE = re.compile(r"\{(\w+)\}")
NOT_FOUND, OK = 404, 200
METHODS = ("get", "post", "put", "patch", "delete")
LEFT_ALONE = frozenset({("delete", "/api/v1/organisations/{organisation}")})
"""What would end the other canary if the promise did not hold."""


def strangers_refused(application: Application) -> Finding:
    """Whether any route of an organisation answers somebody who does not belong there."""
    forget_visits(application)
    canary, stranger = resident(application, HOME), resident(application, STRANGER)
    with signed_in(application, canary) as token:
        visitor = Visitor.of(application, token)
        own = visitor.ask("GET", f"/api/v1/organisations/{canary.organisation_id}").status
        answers = {
            (method, path): visitor.ask(method.upper(), _filled(path, stranger), None if method == "get" else {}).status
            for method, path in _routes(visitor.ask("GET", DOCUMENT).json)
        }
    open_ = sorted(f"{method.upper()} {path}" for (method, path), status in answers.items() if status != NOT_FOUND)
    if open_ or own != OK or not answers:
        return Finding(
            False, f"{len(open_)} of {len(answers)} routes answered a stranger: {', '.join(open_[:5])}; own {own}."
        )
    return Finding(True, f"{len(answers)} routes of another organisation were not there for the canary; its own was.")


def _routes(document: Any) -> list[tuple[str, str]]:
    """All routes of an organisation that the API's own document names."""
    found = [
        (method, path) for path, own in document["paths"].items() if OWN in path for method in METHODS if method in own
    ]
    return [route for route in found if route not in LEFT_ALONE]


def _filled(path: str, stranger: Canary) -> str:
    known = {"organisation": stranger.organisation_id, "number": "1", "collection": "documents"}
    return VARIABLE.sub(lambda name: known.get(name[1], new_id()), path)


def databases_apart(application: Application) -> Finding:
    """Whether the databases of two organisations hold each its own alone, and neither's key opens the other's."""
    canary, stranger = resident(application, HOME), resident(application, STRANGER)
    both = _look(application, canary, stranger) + _look(application, stranger, canary)
    if both["foreign"] or both["opened"] or not both["own"]:
        return Finding(
            False, f"{both['foreign']} rows in another's database; {both['opened']} opened with another's key."
        )
    return Finding(True, f"Two databases held {both['own']} rows, each its own; neither's key opened the other's.")


def _look(application: Application, canary: Canary, other: Canary) -> Counter[str]:
    """Rows in a canary's database: its own, others', and those that the other's key opens."""
    with (
        application.tenants.read(canary.organisation_id) as own,
        application.tenants.read(other.organisation_id) as foreign,
    ):
        rows = own.connection().execute(select(PROJECT.c.id, PROJECT.c.name, PROJECT.c.created_by)).all()
        found = Counter("own" if row.created_by == canary.caller.name else "foreign" for row in rows)
        found["opened"] = sum(_opens(foreign.sealer, row) for row in rows)
    return found


def _opens(sealer: Any, row: Any) -> bool:
    try:
        sealer.open(row.name, "project", "name", row.id)
    except SealBrokenError:
        return False
    return True


CONTROLS = (
    Control(
        "strangers-refused",
        "P08",
        Evidence.SYNTHETIC,
        strangers_refused,
        "Every route of an organisation that the API names says to a stranger that there is no such thing.",
        "Whether somebody shared a password or a key.",
    ),
    Control(
        "databases-apart",
        "P16",
        Evidence.SYNTHETIC,
        databases_apart,
        "Two organisations of Pigi's own have a database each, with nothing of the other's, sealed with its own key.",
        "The databases of others, which no probe opens.",
    ),
)
