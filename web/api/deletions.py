"""Deletions over HTTP: how far an organisation's is, for its owners; and the receipts and keys that prove them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.access import Action
from pigi.domain.deletions import DeletionState, StepState
from pigi.operations.deletion import read_deletion, read_receipt
from pigi.operations.keys import public_jwks
from web.http.replies import API, as_json, moment, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, ResponseModel

if TYPE_CHECKING:
    from pigi.operations.deletion import DeletionView
    from web.http.context import OrganisationContext, RequestContext
    from web.http.replies import Reply


class DeletionStep(ResponseModel):
    """A step: ``count`` is how much it removed so far; that of the step ``search`` is what it found."""

    name: str
    state: StepState
    done_at: datetime | None
    count: int = Field(ge=0)


class DeletionLinks(ResponseModel):
    """Where the receipt will be, once the deletion is final, and the way back while there is one."""

    receipt: str
    restore: str


class Deletion(ResponseModel):
    """An organisation's deletion. ``held``: a legal hold keeps it from going on."""

    state: DeletionState
    requested_at: datetime
    restorable_until: datetime
    final_by: datetime
    held: bool
    steps: list[DeletionStep]
    links: DeletionLinks


class Signature(ResponseModel):
    """Ed25519 over the RFC 8785 form of the document without its signature, in base64url."""

    kid: str
    value: str


class ReceiptStep(ResponseModel):
    """A step that was done, where, and how much it removed."""

    name: str
    place: str
    count: int = Field(ge=0)
    done_at: datetime | None


class Kept(ResponseModel):
    """What stays after a deletion, why, and until which day."""

    what: str
    reason: str
    until: str


class Searched(ResponseModel):
    """A place of the final search: how many things it looked at there, and how many named what was deleted.

    ``kept`` counts what may be there for its period, at the latest ``until``.
    """

    place: str
    looked_at: int = Field(ge=0)
    found: int = Field(ge=0)
    kept: int = Field(ge=0)
    until: str | None


class Counts(ResponseModel):
    """How much was removed where; of backups, those that came of age since the request."""

    database: int = Field(ge=0)
    files: int = Field(ge=0)
    broker: int = Field(ge=0)
    logs: int = Field(ge=0)
    jobs: int = Field(ge=0)
    mails: int = Field(ge=0)
    billing: int = Field(ge=0)
    backups: int = Field(ge=0)


class Receipt(ResponseModel):
    """The receipt of a deletion. It names nobody."""

    format: Literal["pigi-receipt"]
    version: Literal[1]
    id: Id
    scope: Literal["organisation", "account"]
    requested_at: datetime
    sealed_at: datetime
    purged_at: datetime
    searched_at: datetime
    counts: Counts
    steps: list[ReceiptStep]
    kept: list[Kept]
    search: list[Searched]
    signature: Signature


class PublicKey(ResponseModel):
    """An Ed25519 key (RFC 8037); ``kid`` is its thumbprint (RFC 7638)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    kid: str
    x: str
    use: Literal["sig"]


class PublicKeys(ResponseModel):
    """The keys that check what Pigi signs, the one that signs first (RFC 7517)."""

    keys: list[PublicKey]


ONE = f"{API}/organisations/<organisation>/deletion"


def show_deletion(context: OrganisationContext) -> Reply:
    """How far the deletion of an organisation is: for its owners, until nothing of it is left."""
    view, held = read_deletion(context.application, context.caller)
    return reply(as_json(_deletion(view, context.caller.organisation_id, held=held)))


def _deletion(view: DeletionView, organisation_id: str, *, held: bool) -> dict[str, Any]:
    steps = [
        {"name": step.name, "state": step.state, "done_at": moment(step.done_at), "count": step.count}
        for step in view.steps
    ]
    return {
        "state": view.state,
        "requested_at": moment(view.requested_at),
        "restorable_until": moment(view.restorable_until),
        "final_by": moment(view.final_by),
        "held": held,
        "steps": steps,
        "links": {
            "receipt": f"{API}/receipts/{view.receipt_id}",
            "restore": f"{API}/organisations/{organisation_id}/restore",
        },
    }


def show_receipt(context: RequestContext, receipt: str) -> Reply:
    """The receipt of a deletion; there is none until the deletion is final."""
    return reply(read_receipt(context.application, receipt))


def show_public_keys(context: RequestContext) -> Reply:
    """The public keys that check what Pigi signs."""
    return reply(as_json({"keys": public_jwks(context.application)}))


ROUTES = (
    Route(
        "GET",
        ONE,
        show_deletion,
        Action.DELETION_READ,
        RouteKind.READ,
        "Follow an organisation's deletion",
        (ResponseSpec(200, "The deletion", Deletion),),
        # Whoever deleted their account with its organisations is still their owner.
        for_deleted=True,
    ),
    Route(
        "GET",
        f"{API}/receipts/<receipt>",
        show_receipt,
        Who.ANYONE,
        RouteKind.READ,
        "Read the receipt of a deletion",
        (ResponseSpec(200, "The receipt, signed", Receipt),),
        problems=("not_found",),
    ),
    Route(
        "GET",
        "/.well-known/pigi-keys.json",
        show_public_keys,
        Who.ANYONE,
        RouteKind.READ,
        "Read the public keys",
        (ResponseSpec(200, "The keys", PublicKeys),),
    ),
)
