"""The record of processing activities (GDPR article 30), for everybody to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.operations.recipients import list_recipients
from pigi.privacy.inventory import period_words
from pigi.privacy.record import SAFEGUARDS, processing_record
from web.http.replies import API, as_json, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import ResponseModel

if TYPE_CHECKING:
    from pigi.privacy.places import Place
    from pigi.privacy.record import ActivityRecord
    from web.http.context import RequestContext
    from web.http.replies import Reply


class RecordedRecipient(ResponseModel):
    """Somebody else who gets data, what and why, where they are, and how long they keep it."""

    title: str
    gets: str
    why: str
    where: str
    keeps: str


class ListedRecipient(ResponseModel):
    """Whom Pigi connects to: ``connections`` of today and yesterday (UTC), null where no process can count them."""

    name: str
    title: str
    gets: str
    why: str
    third_party: bool
    connections: int | None


class RecipientList(ResponseModel):
    """Everybody whom this installation's processes may connect to. A connection to anybody else is refused."""

    recipients: list[ListedRecipient]


class RecordedPeriod(ResponseModel):
    """How long a class of records is kept, and on what that rests."""

    retention: str
    kept: str
    reason: str


class RecordedPlace(ResponseModel):
    """A column of a database, or a place outside: ``name`` is permanent."""

    name: str
    store: str
    holds: str
    subject: str
    category: str
    role: str
    purpose: str
    basis: str
    retention: str
    kept: str
    recipients: list[str]
    access: str
    export: str
    erasure: str
    search: str


class RecordedActivity(ResponseModel):
    """A purpose of processing, and all that serves it."""

    name: str
    title: str
    why: str
    roles: list[str]
    bases: list[str]
    subjects: list[str]
    categories: list[str]
    recipients: list[RecordedRecipient]
    periods: list[RecordedPeriod]
    places: list[RecordedPlace]


class RecordOfProcessing(ResponseModel):
    """Every processing activity. ``controller`` is whoever runs this installation, and how they are reached."""

    controller: str
    region: str
    safeguards: list[str]
    activities: list[RecordedActivity]


def show_processing_record(context: RequestContext) -> Reply:
    """What is processed, why, on which basis, for how long, who else gets it and where it is. It names nobody."""
    settings = context.application.settings
    body = {
        "controller": f"{settings.operator}, {settings.privacy_address}",
        "region": settings.region,
        "safeguards": list(SAFEGUARDS),
        "activities": [_activity(record) for record in processing_record(settings.fonts)],
    }
    return reply(as_json(body), Cache_Control="public, max-age=300")


def show_recipients(context: RequestContext) -> Reply:
    """Who gets what and why, and how many connections went there of late. It names no person and no organisation."""
    lines = [vars(line) for line in list_recipients(context.application)]
    return reply(as_json({"recipients": lines}), Cache_Control="public, max-age=60")


def _activity(record: ActivityRecord) -> dict[str, Any]:
    return {
        "name": record.activity.name,
        "title": record.activity.title,
        "why": record.activity.why,
        "roles": record.roles,
        "bases": record.bases,
        "subjects": record.subjects,
        "categories": record.categories,
        "recipients": [vars(recipient) for recipient in record.recipients],
        "periods": [vars(period) for period in record.periods],
        "places": [_place(place) for place in record.places],
    }


def _place(place: Place) -> dict[str, Any]:
    told = {name: getattr(place, name) for name in RecordedPlace.model_fields}
    return {**told, "kept": place.kept or period_words(place.retention)}


ROUTES = (
    Route(
        "GET",
        f"{API}/record-of-processing",
        show_processing_record,
        Who.ANYONE,
        RouteKind.PAGE,
        "Read the record of processing activities",
        (ResponseSpec(200, "The record", RecordOfProcessing),),
    ),
    Route(
        "GET",
        f"{API}/recipients",
        show_recipients,
        Who.ANYONE,
        RouteKind.READ,
        "Read who else gets data, and how often",
        (ResponseSpec(200, "The recipients", RecipientList),),
    ),
)
