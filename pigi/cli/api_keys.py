"""`pigi api-keys`."""

from __future__ import annotations

import click

from pigi.cli.opening import opened
from pigi.cli.output import answer, json_option
from pigi.domain.access import Scope
from pigi.operations.api_keys import DEFAULT_DAYS, issue_key, revoke_key


@click.group(name="api-keys")
def api_keys() -> None:
    """Issue and revoke API keys."""


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
    with opened() as application:
        token = issue_key(application, organisation, label, days, map(Scope, scopes))
    told = {"organisation_id": organisation, "label": label, "days": days, "scopes": sorted(set(scopes)), "key": token}
    answer(as_json, told, token)


@api_keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """End the key with this ID at once."""
    with opened() as application:
        revoke_key(application, key_id)
    answer(as_json, {"id": key_id, "revoked": True}, "The key is revoked.")
