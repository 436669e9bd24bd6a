"""`pigi audit`: reading and proving the audit chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

import click

from pigi.cli.application import open_application
from pigi.cli.organisations import check_organisation
from pigi.cli.output import answer, green, json_option, moment, red, say, table
from pigi.operations.audit import PAGE, SignedHead, Verdict, list_entries, signed_head
from pigi.operations.audit import verify as check

if TYPE_CHECKING:
    from pigi.operations.audit import AuditView


@click.group()
def audit() -> None:
    """Read the audit chain, prove it, and sign its head for safe keeping."""


@audit.command()
@click.option("--anchor", type=click.File("r"), help="A head that `pigi audit head` printed; - reads standard input.")
@click.option("--key", "keys", multiple=True, help="A public key to trust too, from before a rotation.")
@json_option
def verify(anchor: TextIO | None, keys: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - an option
    """Check every entry, content and anchor; exit with 1 if the chain was tampered with."""
    saved = None if anchor is None else _read(anchor)
    with open_application() as application:
        verdict = check(application, saved, keys)
    answer(as_json, verdict, _words(verdict))
    if not verdict.ok:
        raise click.exceptions.Exit(1)


@audit.command()
@json_option
def head(as_json: bool) -> None:  # noqa: ARG001, FBT001 - every command takes it; this one always answers so
    """Print the head, signed, as a line of JSON. Keep it where nobody can reach who can reach the database."""
    with open_application() as application:
        say(signed_head(application).to_json())


@audit.command()
@json_option
def key(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Print the public key that anchors are signed with; after it those of the keyring's other keys."""
    with open_application() as application:
        keys = application.keyring.signer.public_keys
    answer(as_json, {"public_keys": keys}, "\n".join(keys))


@audit.command(name="list")
@click.option("--organisation", help="Only of this organisation (its id).")
@click.option("--limit", type=click.IntRange(1, PAGE), default=50, show_default=True)
@click.option("--before", type=int, metavar="SEQ", help="Only older than this one: the next page.")
@json_option
def list_some(organisation: str | None, limit: int, before: int | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """List entries, newest first."""
    with open_application() as application:
        if organisation is not None:
            check_organisation(application, organisation)
        found = list_entries(application, organisation, limit, before)
    rows = [("SEQ", "WHEN (UTC)", "KIND", "ACTOR", "SUBJECT", "DETAILS"), *(_row(view) for view in found)]
    answer(as_json, found, table(rows) if found else "No such entries.")


def _read(anchor: TextIO) -> SignedHead:
    try:
        return SignedHead.from_json(anchor.read())
    except ValueError:
        message = "the anchor is not what `pigi audit head` printed"
        raise click.BadParameter(message, param_hint="--anchor") from None


def _row(view: AuditView) -> tuple[str, ...]:
    details = json.dumps(view.details) if view.details else "-"
    return str(view.seq), moment(view.at), view.kind, view.actor or "erased", view.subject or "-", details


def _words(verdict: Verdict) -> str:
    facts = [
        ("entries", str(verdict.entries)),
        ("erased contents", str(verdict.erased)),
        ("anchors", str(verdict.anchors)),
        ("head", f"{verdict.last} {verdict.head}"),
        *([("kept head", verdict.saved)] if verdict.saved else []),
    ]
    where = f"entry {verdict.seq}" if verdict.seq == verdict.until else f"entries {verdict.seq} to {verdict.until}"
    said = "The chain holds." if verdict.flaw is None else f"The chain is broken: {verdict.flaw}, at {where}."
    return f"{table(facts)}\n\n{green(said) if verdict.ok else red(said)}"
