"""`pigi keys`: rotating keys, how far that is, and how old every key is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import NO_ORGANISATION
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.domain.keys import WAITING
from pigi.operations.audit import CLI
from pigi.operations.keys import note_provider_keys, report_keys, request_rotation
from pigi.store.instants import to_text

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.operations.keys import KeysReport


@click.group()
def keys() -> None:
    """Rotate keys while Pigi runs, and show what is under which key and how old each is."""


@keys.command()
@click.option("--organisation", metavar="ID", help="Renew the data key of this organisation.")
@click.option("--data-keys", is_flag=True, help="Renew the data keys of all organisations.")
@json_option
def rotate(organisation: str | None, data_keys: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Put everything under the first key of PIGI_SECRET_KEYS; or renew data keys. Workers do it, as jobs."""
    if organisation is not None and data_keys:
        message = "--organisation and --data-keys exclude each other"
        raise click.UsageError(message)
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation or ""):
        queued = request_rotation(application, CLI, organisation, data=data_keys)
    text = green(f"{queued} {'job' if queued == 1 else 'jobs'} queued.") + " `pigi keys status` shows how far it is."
    answer(as_json, {"queued": queued}, text)


@keys.command()
@json_option
def status(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how many rows are under which key. At 0 old rows the older keys may be removed."""
    with open_application() as application:
        found = report_keys(application)
    rows = [("KEY", "PLACE", "ROWS"), *((line.name, line.place, str(line.total)) for line in found.keyring)]
    under = [
        (one.organisation_id, moment(one.begun_at), "?" if one.left is None else str(one.left))
        for one in found.rotations
    ]
    moving = f"\n\n{table([('ORGANISATION', 'SINCE (UTC)', 'LEFT'), *under])}" if under else ""
    verdict = (
        red(f"{found.old_rows} rows and signatures need an older key.")
        if found.old_rows
        else green("Nothing needs an older key: it may be removed from PIGI_SECRET_KEYS.")
    )
    answer(as_json, _status(found), f"{table(rows)}{moving}\n\n{verdict}")


@keys.command()
@json_option
def report(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how old every key is; exit with 1 if one is to be replaced."""
    with open_application() as application:
        note_provider_keys(application)
        found = report_keys(application, counted=False)
    ok = not found.to_replace
    rows = [("KEY OF", "ID", "IN USE SINCE (UTC)", "STATE")]
    rows += [(one.setting, one.id, moment(one.first_seen_at), one.state) for one in found.providers]
    lines = [
        f"{found.organisations} data keys, the oldest of {moment(found.oldest)}; {found.due} due, {found.late} late.",
        f"{found.api_keys} API keys, the oldest of {moment(found.oldest_api_key)}; {found.api_keys_ending} end soon.",
        green("No key is late.") if ok else red("Keys are to be replaced; docs/operations.md, Rotate keys, says how."),
    ]
    answer(as_json, {"ok": ok, **_status(found), **_ages(found)}, f"{table(rows)}\n\n" + "\n".join(lines))
    if not ok:
        raise click.exceptions.Exit(1)


def _status(found: KeysReport) -> dict[str, Any]:
    return {
        "old_rows": found.old_rows,
        "keyring": [{"name": line.name, "place": line.place, "rows": line.rows} for line in found.keyring],
        "signatures": found.signatures,
        "rotations": [
            {
                "organisation": one.organisation_id,
                "begun_at": _text(one.begun_at),
                "emptied_at": _text(one.emptied_at),
                "values_left": one.left,
            }
            for one in found.rotations
        ],
        "waiting": WAITING,
    }


def _ages(found: KeysReport) -> dict[str, Any]:
    return {
        "data_keys": {
            "count": found.organisations,
            "oldest": _text(found.oldest),
            "due": found.due,
            "late": found.late,
        },
        "api_keys": {
            "count": found.api_keys,
            "ending": found.api_keys_ending,
            "oldest": _text(found.oldest_api_key),
        },
        "providers": [
            {
                "setting": one.setting,
                "id": one.id,
                "first_seen_at": _text(one.first_seen_at),
                "refused_at": _text(one.refused_at),
                "state": one.state,
            }
            for one in found.providers
        ],
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)
