"""The demo's organisation and key: made once, kept in PIGI_HOME where only this user can read them."""

from __future__ import annotations

import http.client
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from pigi.cli.client import Client
from pigi.cli.organisations import giving
from pigi.errors import Refused
from pigi.operations.api_keys import issue_key
from pigi.operations.organisations import create_organisation
from pigi.store.files import aside

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.application import Application

FILE = "demo.json"
ORGANISATION = "Demo"
LABEL = "demo"


@dataclass(frozen=True)
class DemoKey:
    """An organisation and a key to it."""

    organisation_id: str
    token: str = field(repr=False)


def demo_key(application: Application, address: str) -> DemoKey:
    """The demo's key, a new one if the old one no longer opens anything, as after its 90 days."""
    path = application.settings.home / FILE
    kept = _read(path)
    if kept is not None and Client(address, kept.token).get("/api/v1/jobs?limit=1").status == http.client.OK:
        return kept
    key = _make(application, kept.organisation_id if kept else None)
    with aside(path) as draft:
        draft.write_text(json.dumps(asdict(key)))
    return key


def _make(application: Application, organisation_id: str | None) -> DemoKey:
    if organisation_id is not None:
        try:
            return DemoKey(organisation_id, issue_key(application, organisation_id, LABEL))
        except Refused:
            pass
    made = create_organisation(application, ORGANISATION, on_made=giving(application))
    return DemoKey(made, issue_key(application, made, LABEL))


def _read(path: Path) -> DemoKey | None:
    try:
        found = json.loads(path.read_text())
        return DemoKey(str(found["organisation_id"]), str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
