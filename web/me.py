"""One's own account over HTTP: reading and changing it, and confirming a new address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.account_changes import Change, change_account, confirm_address
from pigi.operations.accounts import read_account
from web.bodies import read_body
from web.repeats import once_made
from web.replies import Reply, as_json, reply
from web.routes import API, Answer, Kind, Route, Who
from web.schemas import Nothing
from web.schemas.accounts import Account, AccountChange
from web.session import account_facts

if TYPE_CHECKING:
    from pigi.store.sessions import ControlSession
    from web.call import SignedIn, Visit
    from web.repeats import OnMade

ME = f"{API}/me"


def show_me(visit: SignedIn) -> Reply:
    """One's own account."""
    return reply(as_json(account_facts(read_account(visit.application, visit.account.account_id))))


def change_me(visit: SignedIn) -> Reply:
    """Change one's name, password or address: all that is asked for, or nothing.

    A new password ends all other sessions. A new address is mailed a link and counts once that is used; the old
    one is told. The answer is the same whether or not the new address belongs to somebody.
    """
    asked = read_body(AccountChange)
    change = Change(asked.name, asked.email, asked.new_password, asked.password)

    def act(made: OnMade) -> Reply:
        def note(session: ControlSession) -> None:
            made(session, ME, 200)

        changed = change_account(visit.application, visit.account, change, visit.network, note)
        return reply(as_json(account_facts(changed)))

    told = asked.model_dump_json(exclude={"password", "new_password"}).encode()
    return once_made(visit, act, lambda _location: show_me(visit), body=told)


def confirm_new_address(visit: Visit, token: str) -> Reply:
    """Make the address that the link was mailed to one's own. All other sessions of the account end."""
    read_body(Nothing)
    confirm_address(visit.application, token, visit.person)
    return Reply(status=204, headers={"Cache-Control": "no-store"})


ROUTES = (
    Route(
        "GET",
        ME,
        show_me,
        Who.PERSON,
        Kind.READ,
        "Read one's own account",
        (Answer(200, "The account", Account),),
    ),
    Route(
        "PATCH",
        ME,
        change_me,
        Who.PERSON,
        Kind.MAKE,
        "Change one's own account",
        (Answer(200, "The account as it is now", Account, headers=("Idempotency-Replayed",)),),
        problems=("wrong_password", "password_weak", "too_many_tries"),
        body=AccountChange,
    ),
    Route(
        "POST",
        f"{API}/email-changes/<token>",
        confirm_new_address,
        Who.ANYONE,
        Kind.OPEN,
        "Confirm a new address",
        (Answer(204, "The address is the account's own now", media_types=()),),
        problems=("link_over",),
        body=Nothing,
        body_required=False,
    ),
)
