"""Organisations over HTTP: making one, listing one's own, reading, renaming, deleting and restoring."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.access import Action, Caller
from pigi.errors import Refused
from pigi.operations.access import role_in
from pigi.operations.deletion import delete_organisation, restore_organisation, stopped_jobs
from pigi.operations.organisations import (
    OrganisationChange,
    change_organisation,
    create_organisation,
    organisations_of,
    read_organisation,
)
from web.http.replies import API, as_json, moment, reply
from web.http.requests import read_body
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel, RoleName
from web.http.texts import Title

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from pigi.operations.organisations import OrganisationView
    from web.http.context import AccountContext, OrganisationContext
    from web.http.replies import Reply


class OrganisationRequest(RequestModel):
    """Make an organisation."""

    name: Title


class OrganisationChangeRequest(RequestModel):
    """What to change; whatever is left out stays."""

    name: Title | None = None
    second_factor: bool | None = Field(
        None, description="Whether members need a second factor; for owners who have one themselves."
    )


class Organisation(ResponseModel):
    """An organisation; ``role`` is the asker's in it, null for an API key.

    One that is being deleted is shown to its owners alone, who may restore it until ``purge_at``. Of one that asks for
    a ``second_factor``, members without it may do nothing but leave.
    """

    id: Id
    name: str
    role: RoleName | None
    created_at: datetime
    state: Literal["active", "deleting"]
    purge_at: datetime | None
    second_factor: bool


class StoppedJob(ResponseModel):
    """A job that the deletion stopped; POST to ``again`` asks for the same, null where Pigi does it by itself."""

    id: Id
    kind: str
    title: str
    created_at: datetime
    again: str | None


class RestoredOrganisation(Organisation):
    """A restored organisation, with what its deletion stopped and will not be done unless it is asked for again."""

    stopped: list[StoppedJob]


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
    organisation_id = create_organisation(
        context.application,
        read_body(OrganisationRequest).name,
        context.account,
        lambda session, organisation_id: context.record(session, f"{ALL}/{organisation_id}", 201),
    )
    return _made(context, f"{ALL}/{organisation_id}")


def _made(context: AccountContext, location: str) -> Reply:
    organisation_id = location.rpartition("/")[2]
    role = role_in(context.application, context.account.account_id, organisation_id)
    if role is None:
        raise Refused("not_found")
    caller = Caller(organisation_id, role, context.account.account_id)
    return reply(as_json(_organisation(read_organisation(context.application, caller))), 201, Location=location)


def show_organisation(context: OrganisationContext) -> Reply:
    """An organisation."""
    return _shown(read_organisation(context.application, context.caller))


def change(context: OrganisationContext) -> Reply:
    """Give an organisation another name, or ask its members for a second factor: all that is asked for, or nothing."""
    body = read_body(OrganisationChangeRequest)
    wanted = OrganisationChange(body.name, body.second_factor)
    return _shown(change_organisation(context.application, context.caller, wanted, context.record))


def delete(context: OrganisationContext) -> JobView:
    """Delete an organisation: it is closed at once and its subscription ends; until `purge_at` it can be restored."""
    return delete_organisation(context.application, context.caller, context.record_job)


def restore(context: OrganisationContext) -> Reply:
    """Restore an organisation that is being deleted, as it was but for its subscription."""
    read_body(Nothing)
    return _restored(context, restore_organisation(context.application, context.caller, context.record))


def _restored(context: OrganisationContext, view: OrganisationView) -> Reply:
    own = f"{ALL}/{view.id}"
    stopped = [
        {
            "id": job.id,
            "kind": job.kind,
            "title": job.title,
            "created_at": moment(job.created_at),
            "again": job.again and f"{own}/{job.again}",
        }
        for job in stopped_jobs(context.application, view.id)
    ]
    return reply(as_json({**_organisation(view), "stopped": stopped}))


def _replay_restore(context: OrganisationContext, _location: str) -> Reply:
    return _restored(context, read_organisation(context.application, context.caller))


def _replay(context: OrganisationContext, _location: str) -> Reply:
    return show_organisation(context)


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
        "second_factor": view.second_factor,
    }


_ONE = ResponseSpec(200, "The organisation", Organisation)
ROUTES = (
    Route(
        "GET",
        ALL,
        show_organisations,
        Who.PERSON,
        RouteKind.READ,
        "List your organisations",
        (ResponseSpec(200, "The organisations", OrganisationList),),
    ),
    Route(
        "POST",
        ALL,
        make_organisation,
        Who.PERSON,
        RouteKind.WRITE,
        "Make an organisation",
        (ResponseSpec(201, "The organisation", Organisation, headers=("Location", "Idempotency-Replayed")),),
        problems=("secret_found", "not_for_operators", "not_found", "too_many_today"),
        body=OrganisationRequest,
        replay=_made,
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
        change,
        Action.ORGANISATION_CHANGE,
        RouteKind.WRITE,
        "Change an organisation",
        (ResponseSpec(200, "The organisation", Organisation, headers=("Idempotency-Replayed",)),),
        problems=("secret_found", "second_factor_required", "confirmation_required", "too_many_today"),
        body=OrganisationChangeRequest,
        replay=_replay,
    ),
    Route(
        "DELETE",
        f"{ALL}/<organisation>",
        delete,
        Action.ORGANISATION_DELETE,
        RouteKind.JOB,
        "Delete an organisation",
        JOB_RESPONSES,
        confirmed=True,
    ),
    Route(
        "POST",
        f"{ALL}/<organisation>/restore",
        restore,
        Action.ORGANISATION_RESTORE,
        RouteKind.WRITE,
        "Restore an organisation",
        (ResponseSpec(200, "The organisation", RestoredOrganisation, headers=("Idempotency-Replayed",)),),
        confirmed=True,
        problems=("not_restorable", "too_many_today"),
        body=Nothing,
        replay=_replay_restore,
    ),
)
