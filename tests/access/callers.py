"""The sorts of callers that the table of expectations knows. Each call gets a person and a session of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Role, Scope
from tests.support.http import bearer
from tests.support.people import an_address, browser, hashed, join, make_account, make_key, make_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.support.furnished import Furnished
    from tests.support.http import Client

_networks = count(1)


@dataclass(frozen=True)
class Caller:
    """Somebody who calls: a client that sends what the caller has, and the account that is signed in, if any."""

    client: Client
    headers: dict[str, str]
    account: str = ""
    session: str = ""
    email: str = ""


def _nobody(app: Flask, _home: Furnished, _away: Furnished) -> Caller:
    return Caller(app.test_client(), {})


def _member(role: Role, app: Flask, home: Furnished, _away: Furnished) -> Caller:
    return _signed_in(app, home, home, role)


def _stranger(app: Flask, home: Furnished, away: Furnished) -> Caller:
    return _signed_in(app, home, away, Role.OWNER)


def _operator(app: Flask, home: Furnished, _away: Furnished) -> Caller:
    return _signed_in(app, home, None, None)


def _key(app: Flask, home: Furnished, _away: Furnished, **facts: Any) -> Caller:
    return Caller(app.test_client(), bearer(_key_of(home, **facts)))


def _foreign_key(app: Flask, _home: Furnished, away: Furnished) -> Caller:
    return Caller(app.test_client(), bearer(_key_of(away)))


_keys: dict[tuple[str, str], str] = {}


def _key_of(place: Furnished, **facts: Any) -> str:
    """A key that is made once: no call uses up the key that it is made with, and an organisation may have few."""
    known = (place.organisation, repr(facts))
    if known not in _keys:
        _keys[known] = make_key(place.application, place.organisation, **facts)
    return _keys[known]


def _signed_in(app: Flask, home: Furnished, place: Furnished | None, role: Role | None) -> Caller:
    application, email = home.application, an_address()
    account = make_account(application, email=email, password_hash=hashed(), operator=place is None)
    if place is not None and role is not None:
        join(application, place.organisation, account, role)
    token = make_session(application, account)
    return Caller(browser(app, token), {}, account, token, email)


CALLERS: dict[str, Callable[[Flask, Furnished, Furnished], Caller]] = {
    "anonymous": _nobody,
    "stranger": _stranger,
    "member": partial(_member, Role.MEMBER),
    "admin": partial(_member, Role.ADMIN),
    "owner": partial(_member, Role.OWNER),
    "operator": _operator,
    "key-read": partial(_key, scopes=[Scope.CONFIGURATION_READ]),
    "key-write": partial(_key, scopes=[Scope.CONFIGURATION_WRITE]),
    "key-generate": partial(_key, scopes=[Scope.GENERATIONS_WRITE]),
    "key-foreign": _foreign_key,
    "key-revoked": partial(_key, revoked=True),
    "key-expired": partial(_key, days=-1),
}
"""What makes each, given the application under test, the organisation asked for, and another one."""


def a_network() -> str:
    """An address that nothing came from yet: throttles of one call must not meet another's (RFC 5737, RFC 3849)."""
    number = next(_networks)
    return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
