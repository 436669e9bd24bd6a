"""`pigi api-keys`: issuing, listing and revoking the keys of organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import NO_ORGANISATION, check_organisation
from pigi.cli.output import answer, json_option, moment, table
from pigi.domain.access import Caller, Scope
from pigi.operations.api_keys import DEFAULT_DAYS, PREFIX, issue_key, list_all_keys, list_keys, revoke_key

if TYPE_CHECKING:
    from pigi.operations.api_keys import KeyView

NO_KEY = ("There is no live key {}.", "`pigi api-keys list` shows the ids.")


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
    """Issue a key for ORGANISATION (its id) and print it. It cannot be shown again.

    The key alone goes to standard output; its id, by which it is revoked, to standard error.
    """
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation):
        token = issue_key(application, organisation, label, days, map(Scope, scopes))
    key_id = _id_in(token)
    data = {"id": key_id, "organisation_id": organisation, "label": label, "days": days}
    answer(as_json, {**data, "scopes": sorted(set(scopes)), "key": token}, token)
    if not as_json:
        click.echo(f"Its id is {key_id}; `pigi api-keys revoke {key_id}` ends it.", err=True)


@api_keys.command(name="list")
@click.option("--organisation", metavar="ID", help="Only of this organisation.")
@json_option
def list_of(organisation: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """List keys, those that still open something first. No key itself is shown."""
    with open_application() as application:
        if organisation is None:
            found = list_all_keys(application)
        else:
            check_organisation(application, organisation)
            found = list_keys(application, Caller(organisation))
    rows = [("ID", "STATE", "ENDS (UTC)", "LAST USED", "SCOPES", "LABEL"), *map(_row, found)]
    nothing = f"No keys yet; `pigi api-keys add {organisation or 'ORGANISATION'}` issues one."
    answer(as_json, found, table(rows) if found else nothing)


@api_keys.command()
@click.argument("key", metavar="ID")
@json_option
def revoke(key: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """End the key with this ID at once.

    ID is what `pigi api-keys add` and `list` show, with its hyphens or without, or the key's beginning, pigi_ and what
    follows to the next underscore. Don't give the whole key: command lines are kept and seen.
    """
    key_id = _id_in(key)
    with open_application() as application, not_found_means(*NO_KEY, key_id):
        revoke_key(application, key_id)
    answer(as_json, {"id": key_id, "revoked": True}, f"The key {key_id} is revoked.")


def _id_in(key: str) -> str:
    """The id in what was typed, of which a message says no more: it may be a whole key."""
    text = key.strip()
    public = text.split("_")[1] if text.startswith(f"{PREFIX}_") else text
    try:
        return str(UUID(hex=public))
    except ValueError:
        message = "this is neither a key's id nor a key; `pigi api-keys list` shows the ids"
        raise click.BadParameter(message, param_hint="ID") from None


def _row(key: KeyView) -> tuple[str, ...]:
    used = key.last_used_on.isoformat() if key.last_used_on else "never"
    return key.id, key.state, moment(key.expires_at), used, " ".join(key.scopes), key.label
