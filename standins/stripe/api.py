"""Answering one request to the API: who asks, what for, was it asked before, and then the act itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

from standins.stripe import idempotency
from standins.stripe.account import VERSION, new_id
from standins.stripe.clock import catch_up
from standins.stripe.errors import RequestError, invalid
from standins.stripe.keys import check_key, check_right
from standins.stripe.lists import expand
from standins.stripe.parameters import read
from standins.stripe.routes import find_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from standins.stripe.account import Account, Obj

_UNSTARTED: Final = frozenset({401, 409, 429})
KEY: Final = "idempotency-key"


@dataclass(frozen=True, repr=False)
class Request:
    """A request as it came: header names in lower case, and the body's bytes."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def encoded(self) -> str:
        """Its parameters in form encoding, from the query or the body."""
        return self.body.decode() if self.method == "POST" else self.query

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Its parameters by name, as they were sent: ``line_items[0][price]``."""
        return dict(parse_qsl(self.encoded, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: Obj
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, fault: RequestError) -> Answer:
        """The answer that a refusal is."""
        return cls(fault.status, fault.body, dict(fault.headers))


class Course:
    """What happens on the way to an answer: nothing. A planned fault replaces it."""

    def begin(self) -> None:
        """Called when the request's key was taken and nothing was done yet; may refuse with `RequestError`."""

    def end(self, found: Answer) -> Answer:
        """Called when all was done; what is returned is the answer, and is kept for the key."""
        return found


def answer(account: Account, request: Request, course: Course) -> Answer:
    """Answer ``request``, with ``course`` on the way."""
    marks = {"Request-Id": new_id("req", 14), "Stripe-Version": VERSION}
    try:
        found = _answer(account, request, marks, course)
    except RequestError as fault:
        found = Answer.of(fault)
    return Answer(found.status, found.body, {**marks, **found.headers})


def _answer(account: Account, request: Request, marks: dict[str, str], course: Course) -> Answer:
    asker = check_key(request.headers)
    _check_version(request.headers)
    route, names = find_route(request.method, request.path)
    check_right(account, asker, route)
    asked = read(request.encoded, route.table)
    key = request.headers.get(KEY) if request.method == "POST" else None

    def act() -> Obj:
        account.request = {"id": marks["Request-Id"], "idempotency_key": key}
        try:
            told = route.act(account, asked, *map(unquote, names))
            return expand(account, told, asked.get("expand") or [])
        finally:
            account.request = {"id": None, "idempotency_key": None}
            if request.method != "GET" and key is None:
                account.save()

    return _once(account, request, key, course, act) if key else _act(account, course, act)


def _once(account: Account, request: Request, key: str, course: Course, act: Callable[[], Obj]) -> Answer:
    with account.lock:
        kept = idempotency.claim(account, key, request.method, request.path, request.body)
    echo = {"Idempotency-Key": key}
    if kept is not None:
        return Answer(kept["status"], kept["body"], {**echo, "Idempotent-Replayed": "true"})
    found = None
    try:
        found = _act(account, course, act)
    finally:
        started = found is not None and found.status not in _UNSTARTED
        with account.lock:
            idempotency.settle(
                account, key, {"status": found.status, "body": found.body} if found and started else None
            )
            account.save()
    return Answer(found.status, found.body, {**echo, **found.headers})


def _act(account: Account, course: Course, act: Callable[[], Obj]) -> Answer:
    try:
        course.begin()
        with account.lock:
            catch_up(account)
            return course.end(Answer(200, act()))
    except RequestError as refusal:
        return Answer.of(refusal)


def _check_version(headers: Mapping[str, str]) -> None:
    if headers.get("stripe-version") != VERSION:
        raise invalid(f"Invalid Stripe API version: this stand-in speaks {VERSION} alone.")
