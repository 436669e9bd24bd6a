"""`pigi accounts`: what operators do for people who cannot get into their account."""

from __future__ import annotations

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.output import answer, json_option
from pigi.operations.second_factors import reset_second_factor

NOBODY = ("There is no account {}.", "Ask the person for the address that they sign in with.")


@click.group()
def accounts() -> None:
    """Help people who lost the device of their second factor."""


@accounts.command(name="reset-second-factor")
@click.argument("email")
@json_option
def reset_factor(email: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Take the second factor off the account with EMAIL, and end its sessions.

    See before that it is its owner who asks: a lost device is what an impostor would tell too.
    """
    with open_application() as application, not_found_means(*NOBODY, email):
        account_id = reset_second_factor(application, email, operator=False)
    text = "The second factor is off, all sessions ended, and a mail says so. The password stays as it is."
    answer(as_json, {"id": account_id, "second_factor": "off"}, text)
