"""`pigi requests`: what people ask about their data, by when it is due, and answering it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import DAY
from pigi.cli.failures import not_found_means
from pigi.cli.operators import NO_OPERATOR
from pigi.cli.output import answer, json_option, moment, table
from pigi.domain.addresses import AddressError, read_address
from pigi.domain.limits import is_prose
from pigi.domain.privacy_requests import DETAIL_LENGTH, Right
from pigi.operations.audit import CLI
from pigi.operations.operators import operator_named
from pigi.operations.privacy_requests import (
    answer_request,
    enter_request,
    extend_request,
    list_requests,
    read_request,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.operations.privacy_requests import PrivacyRequestView

NO_REQUEST = ("There is no request {}.", "`pigi requests list` shows them.")
as_option = click.option("--as", "address", help="The e-mail address of the operator who does this; cli without one.")


@click.group()
def requests() -> None:
    """What people ask about their data: list, enter, extend and answer it."""


@requests.command(name="list")
@click.option("--open", "only_open", is_flag=True, help="Only what waits for an answer, the most urgent first.")
@json_option
def list_all(only_open: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """List requests, the newest first."""
    with open_application() as application:
        found = list_requests(application, is_open=only_open or None, limit=None)
    rows = [("ID", "TYPE", "STATE", "RECEIVED (UTC)", "DUE (UTC)"), *(_row(view) for view in found)]
    answer(as_json, [vars(view) for view in found], table(rows) if found else "Nobody has asked for anything.")


@requests.command()
@click.argument("request_id", metavar="ID")
@json_option
def show(request_id: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show the request ID."""
    with open_application() as application, not_found_means(*NO_REQUEST, request_id):
        view = read_request(application, request_id)
    lines = [(name.replace("_", " "), moment(value) if hasattr(value, "tzinfo") else str(value))
             for name, value in vars(view).items() if value is not None]  # fmt: skip
    answer(as_json, vars(view), table(lines))


@requests.command()
@click.option("--type", "right", required=True, type=click.Choice([str(one) for one in Right]))
@click.option("--email", required=True, help="The address that asked, and that the answer goes to.")
@click.option("--received", type=DAY, help="The day on which it came; today without one.")
@click.option("--detail", help="What was written.")
@as_option
@json_option
def add(  # noqa: PLR0913 - options
    right: str,
    email: str,
    received: datetime | None,
    detail: str | None,
    address: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Enter a request that came by mail. It is due a month after it came."""
    try:
        email = read_address(email)
    except AddressError as error:
        raise click.BadParameter(str(error), param_hint="--email") from None
    received = received.replace(tzinfo=UTC) if received else None
    with open_application() as application:
        operator = _operator(application, address)
        request_id = enter_request(
            application, operator, Right(right), email, received_at=received, detail=_text(detail, "--detail")
        )
        view = read_request(application, request_id)
    answer(as_json, vars(view), request_id)


@requests.command()
@click.argument("request_id", metavar="ID")
@click.option("--reason", required=True, help="Why it takes longer; whoever asked is told so by mail.")
@as_option
@json_option
def extend(request_id: str, reason: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Let the answer to the request ID take two further months."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_REQUEST, request_id):
            view = extend_request(application, operator, request_id, _text(reason, "--reason") or "")
    answer(as_json, vars(view), f"It is due by {moment(view.extended_until)} UTC.")


@requests.command(name="answer")
@click.argument("request_id", metavar="ID")
@click.option("--text", required=True, help="The answer; whoever asked gets it by mail.")
@click.option("--refused", is_flag=True, help="It is not followed, and the text says why.")
@as_option
@json_option
def give_answer(request_id: str, text: str, refused: bool, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - options
    """Answer the request ID."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_REQUEST, request_id):
            view = answer_request(application, operator, request_id, _text(text, "--text") or "", refused=refused)
    answer(as_json, vars(view), "It is answered; the mail is on its way.")


def _operator(application: Application, address: str | None) -> str:
    if address is None:
        return CLI
    with not_found_means(*NO_OPERATOR, address):
        return operator_named(application, address)


def _text(text: str | None, option: str) -> str | None:
    if text is not None and not is_prose(text, DETAIL_LENGTH):
        message = f"must have 1 to {DETAIL_LENGTH} characters, and no control characters"
        raise click.BadParameter(message, param_hint=option)
    return text


def _row(view: PrivacyRequestView) -> tuple[str, ...]:
    due = moment(view.extended_until or view.due_at)
    return (view.id, view.type, view.state, moment(view.received_at), f"{due}{' overdue' if view.overdue else ''}")
