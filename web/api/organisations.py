"""Organisations over HTTP: making one, listing one's own, reading, renaming, deleting and restoring."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pigi.domain.access import Action, Caller
from pigi.errors import Refused
from pigi.operations.access import role_in
from pigi.operations.deletion import delete_organisation, restore_organisation
from pigi.operations.organisations import create_organisation, organisations_of, read_organisation, rename_organisation
from web.http.bodies import read_body
from web.http.repeats import ASKED, once, once_made
from web.http.replies import API, as_json, moment, reply
from web.http.routes import Answer, Kind, Route, Who
from web.http.schemas import Asked, Id, Nothing, RoleName, Told
from web.http.texts import Title

if TYPE_CHECKING:
    from pigi.operations.organisations import OrganisationView
    from web.http.call import Call, SignedIn
    from web.http.repeats import OnMade
    from web.http.replies import Reply


class OrganisationRequest(Asked):
    """Make an organisation, or give one another name."""

    name: Title


class Organisation(Told):
    """An organisation; ``role`` is the asker's in it, null for an API key.

    One that is being deleted is shown to its owners alone, who may restore it until ``purge_at``.
    """

    id: Id
    name: str
    role: RoleName | None
    created_at: datetime
    state: Literal["active", "deleting"]
    purge_at: datetime | None


class OrganisationList(Told):
    """The organisations that the asker belongs to, oldest first."""

    organisations: list[Organisation]


ALL = f"{API}/organisations"


def show_organisations(visit: SignedIn) -> Reply:
    """The organisations that whoever is signed in belongs to, and those that they may restore, oldest first."""
    mine = organisations_of(visit.application, visit.account, deleted=True)
    return reply(as_json({"organisations": [_organisation(view) for view in mine]}))


def make_organisation(visit: SignedIn) -> Reply:
    """Make an organisation; whoever makes it owns it."""
    asked = read_body(OrganisationRequest)

    def show(location: str) -> Reply:
        organisation_id = location.rpartition("/")[2]
        role = role_in(visit.application, visit.account.account_id, organisation_id)
        if role is None:
            raise Refused("not_found")
        caller = Caller(organisation_id, role, visit.account.account_id)
        answer = reply(as_json(_organisation(read_organisation(visit.application, caller))), 201)
        answer.headers["Location"] = location
        return answer

    def make(made: OnMade) -> Reply:
        made_id = create_organisation(
            visit.application,
            asked.name,
            visit.account,
            lambda session, organisation_id: made(session, f"{ALL}/{organisation_id}", 201),
        )
        return show(f"{ALL}/{made_id}")

    return once_made(visit, make, show)


def show_organisation(call: Call) -> Reply:
    """An organisation."""
    return _shown(read_organisation(call.application, call.caller))


def rename(call: Call) -> Reply:
    """Give an organisation another name."""
    asked = read_body(OrganisationRequest)

    def act(made: OnMade) -> Reply:
        return _shown(
            rename_organisation(call.application, call.caller, asked.name, lambda session: made(session, "", 200))
        )

    return once_made(call, act, lambda _location: show_organisation(call))


def delete(call: Call) -> Reply:
    """Delete an organisation: it is closed at once and its subscription ends; until `purge_at` it can be restored."""
    return once(call, lambda decide: delete_organisation(call.application, call.caller, decide))


def restore(call: Call) -> Reply:
    """Restore an organisation that is being deleted, as it was but for its subscription."""
    read_body(Nothing)

    def act(made: OnMade) -> Reply:
        return _shown(restore_organisation(call.application, call.caller, lambda session: made(session, "", 200)))

    return once_made(call, act, lambda _location: show_organisation(call))


def _shown(view: OrganisationView) -> Reply:
    return reply(as_json(_organisation(view)))


def _organisation(view: OrganisationView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "role": view.role,
        "created_at": moment(view.created_at),
        "state": view.state,
        "purge_at": moment(view.purge_at),
    }


_ONE = Answer(200, "The organisation", Organisation)
ROUTES = (
    Route(
        "GET",
        ALL,
        show_organisations,
        Who.PERSON,
        Kind.READ,
        "List your organisations",
        (Answer(200, "The organisations", OrganisationList),),
    ),
    Route(
        "POST",
        ALL,
        make_organisation,
        Who.PERSON,
        Kind.MAKE,
        "Make an organisation",
        (Answer(201, "The organisation", Organisation, headers=("Location", "Idempotency-Replayed")),),
        problems=("not_for_operators", "not_found", "too_many_today"),
        body=OrganisationRequest,
    ),
    Route(
        "GET",
        f"{ALL}/<organisation>",
        show_organisation,
        Action.ORGANISATION_READ,
        Kind.READ,
        "Read an organisation",
        (_ONE,),
    ),
    Route(
        "PATCH",
        f"{ALL}/<organisation>",
        rename,
        Action.ORGANISATION_CHANGE,
        Kind.MAKE,
        "Rename an organisation",
        (Answer(200, "The organisation", Organisation, headers=("Idempotency-Replayed",)),),
        body=OrganisationRequest,
    ),
    Route(
        "DELETE",
        f"{ALL}/<organisation>",
        delete,
        Action.ORGANISATION_DELETE,
        Kind.CHANGE,
        "Delete an organisation",
        ASKED,
    ),
    Route(
        "POST",
        f"{ALL}/<organisation>/restore",
        restore,
        Action.ORGANISATION_RESTORE,
        Kind.MAKE,
        "Restore an organisation",
        (Answer(200, "The organisation", Organisation, headers=("Idempotency-Replayed",)),),
        problems=("not_restorable",),
        body=Nothing,
    ),
)
