"""What members do with their organisation's API keys: make, rotate with an overlap, revoke (P20)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from pigi.clock import now
from pigi.domain.access import Action, Scope
from pigi.errors import Refused
from pigi.operations.api_keys import (
    DEFAULT_DAYS,
    KEY,
    LONGEST_DAYS,
    IssuedKey,
    Wish,
    check_key,
    end_row,
    find_key,
    insert_key,
)
from pigi.operations.standing import changing_access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

    OnMade = Callable[[ControlSession, str], None]
    OnDone = Callable[[ControlSession], None]

DEFAULT_OVERLAP_DAYS = 7
LONGEST_OVERLAP_DAYS = 30


def make_key(  # noqa: PLR0913 - what was asked, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    label: str,
    scopes: Iterable[Scope],
    days: int = DEFAULT_DAYS,
    on_made: OnMade | None = None,
) -> IssuedKey:
    """Make a key for the caller's organisation; ``on_made`` gets its id in the same transaction.

    Raises Refused: ``invalid_days`` outside 1 to 365, ``invalid_name`` for the label, ``too_many_keys``, and as
        `changing_access`.
    """
    label = label.strip()
    check_key(label, days)
    wish = Wish(caller.organisation_id, label, frozenset(scopes), days, caller.account_id)
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        issued = insert_key(session, application, caller.name, wish)
        if on_made is not None:
            on_made(session, issued.id)
    return issued


def rotate_key(  # noqa: PLR0913 - what was asked, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    key_id: str,
    days: int = DEFAULT_DAYS,
    overlap_days: int = DEFAULT_OVERLAP_DAYS,
    on_made: OnMade | None = None,
) -> IssuedKey:
    """Make a successor with the same label and scopes; the old key ends after the overlap, or earlier by itself.

    Raises Refused: ``not_found``, ``invalid_days``, ``key_over`` for a key that was revoked or has expired,
        ``too_many_keys``, and as `changing_access`.
    """
    if not (1 <= days <= LONGEST_DAYS and 0 <= overlap_days <= LONGEST_OVERLAP_DAYS):
        raise Refused("invalid_days")
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        old = find_key(session, key_id, caller.organisation_id)
        moment = now()
        if old.revoked_at is not None or old.expires_at <= moment:
            raise Refused("key_over")
        scopes = frozenset(map(Scope, old.scopes.split()))
        wish = Wish(caller.organisation_id, old.label, scopes, days, caller.account_id, old.id)
        issued = insert_key(session, application, caller.name, wish)
        until = min(old.expires_at, moment + timedelta(days=overlap_days))
        session.execute(update(KEY).where(KEY.c.id == old.id).values(expires_at=until))
        if on_made is not None:
            on_made(session, issued.id)
    return issued


def end_key(application: Application, caller: Caller, key_id: str, on_done: OnDone | None = None) -> None:
    """Revoke a key at once; repeating it is harmless. Raises Refused: ``not_found``, and as `changing_access`."""
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        if find_key(session, key_id, caller.organisation_id).revoked_at is None:
            end_row(session, application, caller.name, caller.organisation_id, key_id)
        if on_done is not None:
            on_done(session)
