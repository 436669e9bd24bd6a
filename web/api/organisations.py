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
from web.http.routes import Response, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel, RoleName
from web.http.texts import Title

if TYPE_CHECKING:
    from pigi.operations.organisations import OrganisationView
    from web.http.context import AccountContext, OrganisationContext
    from web.http.repeats import OnMade
    from web.http.replies import Reply


class OrganisationRequest(RequestModel):
    """Make an organisation, or give one another name."""

    name: Title


class Organisation(ResponseModel):
    """An organisation; ``role`` is the asker's in it, null for an API key.

    One that is being deleted is shown to its owners alone, who may restore it until ``purge_at``.
    """

    id: Id
    name: str
    role: RoleName | None
    created_at: datetime
    state: Literal["active", "deleting"]
    purge_at: datetime | None


class OrganisationList(ResponseModel):
    """The organisations that the asker belongs to, oldest first."""

    organisations: list[Organisation]


ALL = f"{API}/organisations"


def show_organisations(context: AccountContext) -> Reply:
    """The organisations that whoever is signed in belongs to, and those that they may restore, oldest first."""
    mine = organisations_of(context.application, context.account, deleted=True)
    return reply(as_json({"organisations": [_organisation(view) for view in mine]}))


def make_organisation(context: AccountContext) -> Reply:
    """Make an organisation; whoever makes it owns it."""
    body = read_body(OrganisationRequest)

    def show(location: str) -> Reply:
        organisation_id = location.rpartition("/")[2]
        role = role_in(context.application, context.account.account_id, organisation_id)
        if role is None:
            raise Refused("not_found")
        caller = Caller(organisation_id, role, context.account.account_id)
        answer = reply(as_json(_organisation(read_organisation(context.application, caller))), 201)
        answer.headers["Location"] = location
        return answer

    def make(made: OnMade) -> Reply:
        made_id = create_organisation(
            context.application,
            body.name,
            context.account,
            lambda session, organisation_id: made(session, f"{ALL}/{organisation_id}", 201),
        )
        return show(f"{ALL}/{made_id}")

    return once_made(context, make, show)


def show_organisation(context: OrganisationContext) -> Reply:
    """An organisation."""
    return _shown(read_organisation(context.application, context.caller))


def rename(context: OrganisationContext) -> Reply:
    """Give an organisation another name."""
    body = read_body(OrganisationRequest)

    def act(made: OnMade) -> Reply:
        return _shown(
            rename_organisation(context.application, context.caller, body.name, lambda session: made(session, "", 200))
        )

    return once_made(context, act, lambda _location: show_organisation(context))


def delete(context: OrganisationContext) -> Reply:
    """Delete an organisation: it is closed at once and its subscription ends; until `purge_at` it can be restored."""
    return once(context, lambda decide: delete_organisation(context.application, context.caller, decide))


def restore(context: OrganisationContext) -> Reply:
    """Restore an organisation that is being deleted, as it was but for its subscription."""
    read_body(Nothing)

    def act(made: OnMade) -> Reply:
        return _shown(restore_organisation(context.application, context.caller, lambda session: made(session, "", 200)))

    return once_made(context, act, lambda _location: show_organisation(context))


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


_ONE = Response(200, "The organisation", Organisation)
ROUTES = (
    Route(
        "GET",
        ALL,
        show_organisations,
        Who.PERSON,
        RouteKind.READ,
        "List your organisations",
        (Response(200, "The organisations", OrganisationList),),
    ),
    Route(
        "POST",
        ALL,
        make_organisation,
        Who.PERSON,
        RouteKind.MAKE,
        "Make an organisation",
        (Response(201, "The organisation", Organisation, headers=("Location", "Idempotency-Replayed")),),
        problems=("not_for_operators", "not_found", "too_many_today"),
        body=OrganisationRequest,
    ),
    Route(
        "GET",
        f"{ALL}/<organisation>",
        show_organisation,
        Action.ORGANISATION_READ,
        RouteKind.READ,
        "Read an organisation",
        (_ONE,),
    ),
    Route(
        "PATCH",
        f"{ALL}/<organisation>",
        rename,
        Action.ORGANISATION_CHANGE,
        RouteKind.MAKE,
        "Rename an organisation",
        (Response(200, "The organisation", Organisation, headers=("Idempotency-Replayed",)),),
        body=OrganisationRequest,
    ),
    Route(
        "DELETE",
        f"{ALL}/<organisation>",
        delete,
        Action.ORGANISATION_DELETE,
        RouteKind.CHANGE,
        "Delete an organisation",
        ASKED,
    ),
    Route(
        "POST",
        f"{ALL}/<organisation>/restore",
        restore,
        Action.ORGANISATION_RESTORE,
        RouteKind.MAKE,
        "Restore an organisation",
        (Response(200, "The organisation", Organisation, headers=("Idempotency-Replayed",)),),
        problems=("not_restorable",),
        body=Nothing,
    ),
)
