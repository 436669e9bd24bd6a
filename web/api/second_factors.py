"""One's second factor over HTTP: setting it up, its recovery codes, turning it off."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.operations.second_factors import (
    begin_second_factor,
    confirm_second_factor,
    end_second_factor,
    read_second_factor,
    read_set_up,
    renew_recovery_codes,
)
from web.http.auth import renewing
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Nothing, RequestModel, ResponseModel
from web.http.texts import Code

if TYPE_CHECKING:
    from web.http.context import AccountContext


class SecondFactor(ResponseModel):
    """One's second factor: ``pending`` until a code of the device was given; ``recovery_codes`` are how many are left.

    ``required`` says that one can do nothing else without it, as an operator.
    """

    state: Literal["off", "pending", "on"]
    since: datetime | None
    recovery_codes: int
    required: bool


class SecondFactorSetUp(SecondFactor):
    """What goes into the device: the secret in base32, and the address with it that a QR code would hold."""

    secret: str
    uri: str


class RecoveryCodes(SecondFactor):
    """With the recovery codes, told once: null when an Idempotency-Key is repeated."""

    codes: list[str] | None


class CodeRequest(RequestModel):
    """A code of the device."""

    code: Code = Field(repr=False)


MINE = f"{API}/me/second-factor"
ONCE = "The codes are told in this answer alone: repeating the request with its Idempotency-Key answers `codes: null`."


def show_second_factor(context: AccountContext) -> Reply:
    """One's second factor."""
    return reply(as_json(_facts(context)))


def begin(context: AccountContext) -> Reply:
    """Make a secret for a device. Signing in asks for its codes once the first was confirmed."""
    read_body(Nothing)
    begin_second_factor(context.application, context.account, context.record)
    return _set_up(context)


def _set_up(context: AccountContext, _location: str = "") -> Reply:
    made = read_set_up(context.application, context.account)
    return reply(as_json({**_facts(context), "secret": made.secret, "uri": made.uri}))


def confirm_factor(context: AccountContext) -> Reply:
    """Turn the second factor on with the device's first code. All other sessions end."""
    code = read_body(CodeRequest).code
    return _with_codes(
        context,
        codes=confirm_second_factor(context.application, context.account, code, renewing(context, context.record)),
    )


def renew_codes(context: AccountContext) -> Reply:
    """Make new recovery codes in place of all others."""
    read_body(Nothing)
    return _with_codes(context, codes=renew_recovery_codes(context.application, context.account, context.record))


def _with_codes(context: AccountContext, _location: str = "", *, codes: list[str] | None = None) -> Reply:
    return reply(as_json({**_facts(context), "codes": codes}))


def end_factor(context: AccountContext) -> Reply:
    """Turn the second factor off, with its recovery codes. Repeating it is harmless."""
    end_second_factor(context.application, context.account, renewing(context, context.record_no_content))
    return no_content()


def _facts(context: AccountContext) -> dict[str, Any]:
    found = read_second_factor(context.application, context.account)
    return {
        "state": found.state,
        "since": moment(found.since),
        "recovery_codes": found.recovery_codes,
        "required": context.account.operator,
    }


_REPLAYED = ("Idempotency-Replayed",)
ROUTES = (
    Route(
        "GET",
        MINE,
        show_second_factor,
        Who.PERSON,
        RouteKind.READ,
        "Read one's own second factor",
        (ResponseSpec(200, "The second factor", SecondFactor),),
        without_factor=True,
    ),
    Route(
        "POST",
        MINE,
        begin,
        Who.PERSON,
        RouteKind.WRITE,
        "Begin to set up a second factor",
        (ResponseSpec(200, "What goes into the device", SecondFactorSetUp, headers=_REPLAYED),),
        problems=("second_factor_on", "second_factor_off"),
        body=Nothing,
        body_required=False,
        replay=_set_up,
        confirmed=True,
        without_factor=True,
    ),
    Route(
        "POST",
        f"{MINE}/confirm",
        confirm_factor,
        Who.PERSON,
        RouteKind.WRITE,
        "Turn the second factor on",
        (ResponseSpec(200, "The second factor with its recovery codes", RecoveryCodes, headers=_REPLAYED),),
        problems=("wrong_code", "second_factor_on", "second_factor_off"),
        body=CodeRequest,
        fingerprint=lambda: b"code",
        replay=_with_codes,
        notes=ONCE,
        confirmed=True,
        without_factor=True,
    ),
    Route(
        "POST",
        f"{MINE}/recovery-codes",
        renew_codes,
        Who.PERSON,
        RouteKind.WRITE,
        "Make new recovery codes",
        (ResponseSpec(200, "The second factor with its recovery codes", RecoveryCodes, headers=_REPLAYED),),
        problems=("second_factor_off",),
        body=Nothing,
        body_required=False,
        replay=_with_codes,
        notes=ONCE,
        confirmed=True,
        without_factor=True,
    ),
    Route(
        "DELETE",
        MINE,
        end_factor,
        Who.PERSON,
        RouteKind.WRITE,
        "Turn the second factor off",
        (ResponseSpec(204, "There is none any more", media_types=(), headers=_REPLAYED),),
        confirmed=True,
        without_factor=True,
    ),
)
