"""`pigi verify-receipt`: whether a receipt is what Pigi signed. It needs no database and no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pigi.cli.output import answer, green, json_option, red
from pigi.domain.deletions import RECEIPT_FORMAT
from pigi.settings import Settings
from pigi.store.keyring import Keyring
from pigi.store.signing import SIGNATURE, is_document_signed

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_RECEIPT = 2
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="verify-receipt")
@click.argument("file", type=FILE)
@click.option(
    "--keys", type=FILE, help="A saved copy of /.well-known/pigi-keys.json; otherwise the own keyring's keys."
)
@json_option
def verify_receipt(file: Path, keys: Path | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Check the receipt in FILE: exit with 1 if anything was altered, with 2 if it is no receipt.

    It is checked offline, with the keys that the service published, or on the installation's own machine with
    those of PIGI_SECRET_KEYS.
    """
    raw = file.read_bytes()
    if not _claims_to_be_one(raw):
        answer(as_json, {"valid": False, "id": None, "kid": None}, red("This is no receipt of Pigi's."))
        raise click.exceptions.Exit(NO_RECEIPT)
    receipt = parsed(raw) or {}
    valid = is_document_signed(receipt, public_keys(keys))
    signature = receipt.get(SIGNATURE)
    kid = signature.get("kid") if isinstance(signature, dict) else None
    facts = {"valid": valid, "id": receipt.get("id"), "kid": kid}
    words = green("The receipt is as it was signed.") if valid else red("The receipt was altered, or signed by others.")
    answer(as_json, facts, words)
    if not valid:
        raise click.exceptions.Exit(1)


def _claims_to_be_one(raw: bytes) -> bool:
    """Whether it says that it is a receipt, or has the parts of one, however much of it was altered."""
    document = parsed(raw)
    if document is None:
        return RECEIPT_FORMAT.encode() in raw
    return document.get("format") == RECEIPT_FORMAT or {SIGNATURE, "counts"} <= document.keys()


def parsed(raw: bytes) -> dict[str, Any] | None:
    """The JSON object; None for anything else, and for one with a name twice, of which readers may see either."""
    try:
        document = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def public_keys(path: Path | None) -> list[Mapping[str, Any]]:
    """The keys of a saved copy, or without one the own keyring's; raises BadParameter for what is no copy."""
    if path is None:
        return [*Keyring.from_settings(Settings.from_environment()).signer.jwks()]
    document = parsed(path.read_bytes())
    keys = None if document is None else document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        message = "this is not what /.well-known/pigi-keys.json answers"
        raise click.BadParameter(message, param_hint="--keys")
    return keys
