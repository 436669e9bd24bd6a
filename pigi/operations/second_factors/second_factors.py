"""A person's second factor, from its set-up to its end. What sign-in makes of it is in `pigi.operations.accounts`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from pigi.clock import now
from pigi.domain.access import OPERATOR, OrganisationState, Person
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.operations.access import ORGANISATION, vouch_for
from pigi.operations.accounts import ACCOUNT, close_sessions
from pigi.operations.audit import CLI, record
from pigi.operations.credentials import (
    CODE_WRONG,
    FACTOR,
    RECOVERY,
    has_factor,
    matching_step,
    new_recovery_code,
    new_secret,
    read_code,
    recovery_hash,
    secret_text,
    setup_uri,
)
from pigi.operations.mail import queue_mail
from pigi.store.people import DEVICE_SECRET, Membership

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

RECOVERY_CODES = 10
MEMBERSHIP: Any = Membership.__table__


class FactorState(StrEnum):
    """How far somebody's second factor is; names are permanent. docs/state-machines.md draws it."""

    OFF = "off"
    """None. Left by whoever begins to set one up."""
    PENDING = "pending"
    """A secret was made, and no code of it given yet: signing in asks for none. Left by the first code."""
    ON = "on"
    """Asked for at sign-in. Left by its owner who turns it off, or an operator who resets it."""


@dataclass(frozen=True)
class SecondFactorView:
    """A second factor as its owner sees it; ``recovery_codes`` are how many are left."""

    state: FactorState
    since: datetime | None
    recovery_codes: int


@dataclass(frozen=True, repr=False)
class SetUp:
    """What goes into the device: the secret in base32, and the address with it that a QR code holds."""

    secret: str
    uri: str


def read_second_factor(application: Application, person: Person) -> SecondFactorView:
    """Whether signing in takes one, and how many recovery codes are left."""
    mine = RECOVERY.c.account_id == person.account_id
    with application.control.read() as session:
        row = session.execute(select(FACTOR).where(FACTOR.c.account_id == person.account_id)).first()
        left = session.scalar(select(func.count()).select_from(RECOVERY).where(mine)) or 0
    if row is None:
        return SecondFactorView(FactorState.OFF, None, 0)
    state = FactorState.PENDING if row.confirmed_at is None else FactorState.ON
    return SecondFactorView(state, row.confirmed_at, left)


def begin_second_factor(application: Application, person: Person, on_done: OnDone | None = None) -> SetUp:
    """Make a secret for a device, in place of one that waits; it counts from `confirm_second_factor` on.

    Raises Refused ``second_factor_on``: another device is set up once this one is turned off.
    """
    row = {"account_id": person.account_id, "created_at": now(), "confirmed_at": None, "last_step": 0}
    sealed = application.keyring.seal(DEVICE_SECRET, person.account_id, new_secret())
    with application.control.begin() as session:
        _hold(session, person.account_id)
        if has_factor(session, person.account_id):
            raise Refused("second_factor_on")
        _remove(session, person.account_id)
        session.execute(insert(FACTOR).values(sealed=sealed, **row))
        if on_done is not None:
            on_done(session)
    return read_set_up(application, person)


def read_set_up(application: Application, person: Person) -> SetUp:
    """What goes into the device, while it waits for its first code; raises Refused ``second_factor_off``."""
    waiting = (FACTOR.c.account_id == person.account_id) & FACTOR.c.confirmed_at.is_(None)
    query = select(FACTOR.c.sealed, ACCOUNT.c.email).join(ACCOUNT, ACCOUNT.c.id == FACTOR.c.account_id).where(waiting)
    with application.control.read() as session:
        row = session.execute(query).first()
    if row is None:
        raise Refused("second_factor_off")
    secret = application.keyring.open(DEVICE_SECRET, person.account_id, row.sealed)
    return SetUp(secret_text(secret), setup_uri(secret, row.email))


def confirm_second_factor(
    application: Application, person: Person, code: str, on_done: OnDone | None = None
) -> list[str]:
    """Turn it on with the device's first code; the recovery codes, which nobody can be shown again.

    All other sessions end: they were opened without it.

    Raises Refused: ``wrong_code``; ``second_factor_off`` if none waits; ``second_factor_on``.
    """
    with application.control.begin() as session:
        key = _hold(session, person.account_id)
        row = session.execute(select(FACTOR).where(FACTOR.c.account_id == person.account_id)).first()
        if row is None or row.confirmed_at is not None:
            raise Refused("second_factor_off" if row is None else "second_factor_on")
        secret, moment = application.keyring.open(DEVICE_SECRET, person.account_id, row.sealed), now()
        step = matching_step(secret, read_code(code), moment.timestamp())
        if step is None:
            raise Refused("wrong_code", errors=CODE_WRONG)
        mine = FACTOR.c.account_id == person.account_id
        session.execute(update(FACTOR).where(mine).values(confirmed_at=moment, last_step=step))
        codes = _new_codes(session, person.account_id)
        close_sessions(session, person.account_id, but=person.session_id)
        record(session, application, "factor.turned_on", person.name, subject=person.name)
        queue_mail(session, application, Template.SECOND_FACTOR_ON, person.account_id, key, requested_by=person.name)
        if on_done is not None:
            on_done(session)
    return codes


def renew_recovery_codes(application: Application, person: Person, on_done: OnDone | None = None) -> list[str]:
    """New recovery codes in place of all others; raises Refused ``second_factor_off``."""
    with application.control.begin() as session:
        _hold(session, person.account_id)
        if not has_factor(session, person.account_id):
            raise Refused("second_factor_off")
        codes = _new_codes(session, person.account_id)
        kind = "factor.recovery_codes_renewed"
        vouch_for(session, person)
        record(session, application, kind, person.name, subject=person.name, count=len(codes))
        if on_done is not None:
            on_done(session)
    return codes


def end_second_factor(application: Application, person: Person, on_done: OnDone | None = None) -> None:
    """Turn it off, or give up setting it up; repeating it is harmless."""
    with application.control.begin() as session:
        key = _hold(session, person.account_id)
        was_on = has_factor(session, person.account_id)
        _remove(session, person.account_id)
        if was_on:
            vouch_for(session, person)
            record(session, application, "factor.turned_off", person.name, subject=person.name)
            queue_mail(
                session, application, Template.SECOND_FACTOR_OFF, person.account_id, key, requested_by=person.name
            )
        if on_done is not None:
            on_done(session)


def reset_second_factor(application: Application, email: str, *, operator: bool) -> str:
    """Take the second factor off whoever has the address and lost their device, ending all sessions; the account's id.

    Repeating it is harmless. Raises Refused ``not_found`` if no account of this sort has the address.
    """
    own = (ACCOUNT.c.email_key == email_key(email)) & ((ACCOUNT.c.kind == OPERATOR) == operator)
    with application.control.begin() as session:
        account_id = session.scalar(select(ACCOUNT.c.id).where(own))
        if account_id is None:
            raise Refused("not_found")
        key = _hold(session, account_id)
        was_on = has_factor(session, account_id)
        _remove(session, account_id)
        close_sessions(session, account_id)
        if was_on:
            who = Person(account_id, "", operator=operator).name
            record(session, application, "factor.reset", CLI, subject=who)
            queue_mail(session, application, Template.SECOND_FACTOR_OFF, account_id, key, requested_by=CLI)
    return str(account_id)


def demanding_organisations(application: Application, person: Person) -> list[tuple[str, str]]:
    """The id and name of each active organisation of theirs that asks its members for a second factor."""
    asks = (ORGANISATION.c.second_factor.is_(True)) & (ORGANISATION.c.state == OrganisationState.ACTIVE.value)
    query = (
        select(ORGANISATION.c.id, ORGANISATION.c.name)
        .join(MEMBERSHIP, MEMBERSHIP.c.organisation_id == ORGANISATION.c.id)
        .where(MEMBERSHIP.c.account_id == person.account_id, asks)
        .order_by(ORGANISATION.c.id)
    )
    with application.control.read() as session:
        return [(row.id, row.name) for row in session.execute(query)]


def _hold(session: ControlSession, account_id: str) -> str:
    """Let changes of an account's second factor, and sign-ins to it, follow one another; the key of its address.

    It takes the lock that a sign-in takes, so that none is under way without the code and ends after the others did.
    """
    held: Any = update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(kind=ACCOUNT.c.kind)
    found = session.execute(held.returning(ACCOUNT.c.email_key)).scalar()
    if found is None:
        raise Refused("not_found")
    return str(found)


def _new_codes(session: ControlSession, account_id: str) -> list[str]:
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RECOVERY).where(RECOVERY.c.account_id == account_id))
    session.execute(insert(RECOVERY), [{"account_id": account_id, "code_hash": recovery_hash(code)} for code in codes])
    return codes


def _remove(session: ControlSession, account_id: str) -> None:
    session.execute(delete(RECOVERY).where(RECOVERY.c.account_id == account_id))
    session.execute(delete(FACTOR).where(FACTOR.c.account_id == account_id))
