"""`pigi api-keys`: issuing, listing and revoking the keys of organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import NO_ORGANISATION, check_organisation
from pigi.cli.output import answer, json_option, moment, table
from pigi.domain.access import Caller, Scope
from pigi.operations.api_keys import DEFAULT_DAYS, issue_key, list_keys, revoke_key

if TYPE_CHECKING:
    from uuid import UUID

    from pigi.operations.api_keys import KeyView

NO_KEY = ("No key has this id, or it is revoked already.", "`pigi api-keys list --organisation ID` shows the ids.")


@click.group(name="api-keys")
def api_keys() -> None:
    """Issue, list and revoke API keys."""


@api_keys.command()
@click.argument("organisation")
@click.option("--label", default="command line", show_default=True, help="What the key is for.")
@click.option("--days", type=int, default=DEFAULT_DAYS, show_default=True, help="Days until it ends.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[scope.value for scope in Scope],
    help="What it may do; repeat for several. All if left out.",
)
@json_option
def add(organisation: str, label: str, days: int, scopes: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - an option
    """Issue a key for ORGANISATION (its id) and print it. It cannot be shown again."""
    with open_application() as application, not_found_means(*NO_ORGANISATION):
        token = issue_key(application, organisation, label, days, map(Scope, scopes))
    data = {"organisation_id": organisation, "label": label, "days": days, "scopes": sorted(set(scopes)), "key": token}
    answer(as_json, data, token)


@api_keys.command(name="list")
@click.option("--organisation", required=True, metavar="ID", help="Of which organisation.")
@json_option
def list_of(organisation: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """List the keys of an organisation, those that still open something first. No key itself is shown."""
    with open_application() as application:
        check_organisation(application, organisation)
        found = list_keys(application, Caller(organisation))
    rows = [("ID", "STATE", "ENDS (UTC)", "LAST USED", "SCOPES", "LABEL"), *map(_row, found)]
    answer(as_json, found, table(rows) if found else f"No keys yet; `pigi api-keys add {organisation}` issues one.")


@api_keys.command()
@click.argument("key_id", metavar="ID", type=click.UUID)
@json_option
def revoke(key_id: UUID, as_json: bool) -> None:  # noqa: FBT001 - an option
    """End the key with this ID at once.

    ID is what `pigi api-keys list` shows; it also stands in the middle of the key, without hyphens.
    """
    with open_application() as application, not_found_means(*NO_KEY):
        revoke_key(application, str(key_id))
    answer(as_json, {"id": str(key_id), "revoked": True}, "The key is revoked.")


def _row(key: KeyView) -> tuple[str, ...]:
    used = key.last_used_on.isoformat() if key.last_used_on else "never"
    return key.id, key.state, moment(key.expires_at), used, " ".join(key.scopes), key.label
