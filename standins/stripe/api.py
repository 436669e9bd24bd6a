"""Answers to requests: API keys and their rights, idempotency keys, and what is due by the account's clock before each.

Source: docs.stripe.com, "API keys" and "Restricted API keys", and the API reference, "Idempotent requests". The first
answer to an idempotency key is kept, whatever it was; refusals before the endpoint begins are not. A key is forgotten
after a day. Of the first version's requests only a POST takes one: on a GET or a DELETE it has no effect.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from standins.stripe import checkout, invoices, subscriptions
from standins.stripe.account import VERSION, expand, new_id
from standins.stripe.requests import IDEMPOTENCY, RequestError, invalid, read
from standins.stripe.routes import ROUTES, find_route
from standins.stripe.subscriptions import first_item

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Request
    from standins.stripe.routes import Route

    Due = tuple[int, Callable[[], object]]

_UNSTARTED: Final = frozenset({401, 409, 429})
KEY: Final = "idempotency-key"
_RESTRICTED: Final = "rk_test_"
_KEYS: Final = ("sk_test_", _RESTRICTED)
RIGHTS: Final = {"none": frozenset[str](), "read": frozenset({"GET"}), "write": frozenset({"GET", "POST", "DELETE"})}
"""The methods that each right lets through."""
KEPT_SECONDS: Final = 86_400
INCOMPLETE_SECONDS: Final = 23 * 3600
"""How long a first invoice can be paid."""
_RENEWED: Final = frozenset({"active", "trialing", "past_due", "unpaid"})


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
    asker = _check_key(request.headers, account.settings["refused_keys"])
    _check_version(request.headers)
    route, names = find_route(request.method, request.path)
    _check_right(account, asker, route)
    params = read(request.encoded, route.table)
    key = request.headers.get(KEY) if request.method == "POST" else None

    def act() -> Obj:
        account.request = {"id": marks["Request-Id"], "idempotency_key": key}
        try:
            told = route.act(account, params, *map(unquote, names))
            return expand(account, told, params.get("expand") or [])
        finally:
            account.request = {"id": None, "idempotency_key": None}
            if request.method != "GET" and key is None:
                account.save()

    return _once(account, request, key, course, act) if key else _act(account, course, act)


def _once(account: Account, request: Request, key: str, course: Course, act: Callable[[], Obj]) -> Answer:
    with account.lock:
        kept = _claim(account, key, request.method, request.path, request.body)
    echo = {"Idempotency-Key": key}
    if kept is not None:
        return Answer(kept["status"], kept["body"], {**echo, "Idempotent-Replayed": "true"})
    found = None
    try:
        found = _act(account, course, act)
    finally:
        started = found is not None and found.status not in _UNSTARTED
        with account.lock:
            _settle(account, key, {"status": found.status, "body": found.body} if found and started else None)
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


def _check_key(headers: Mapping[str, str], refused: Collection[str]) -> str:
    """The API key of a request; a 401 if there is none, if it is refused, or if it is no secret key of test mode."""
    key = _key(headers.get("authorization", ""))
    if key is None:
        words = "You did not provide an API key. Provide it in the Authorization header, using Bearer auth."
        raise RequestError(401, words)
    if not key.startswith(_KEYS) or key in refused:
        raise RequestError(401, "Invalid API Key provided: ********")
    return key


def _key(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return token.strip() or None


def _check_right(account: Account, key: str, route: Route) -> None:
    """A 403 for what a restricted key has no right to; a secret key may do all."""
    resource = _resource(route)
    right = account.settings["rights"].get(resource, "write")
    if key.startswith(_RESTRICTED) and route.method not in RIGHTS[right]:
        needed = "read" if route.method == "GET" else "write"
        raise RequestError(403, f"This restricted key lacks the right to {needed} {resource}.")


def check_rights(rights: Mapping[str, str]) -> None:
    """Raise ValueError for rights that there are not."""
    known = {_resource(route) for route in ROUTES}
    if wrong := [name for name, right in rights.items() if name not in known or right not in RIGHTS]:
        raise ValueError(f"no such right: {', '.join(sorted(wrong))}")


def _resource(route: Route) -> str:
    """``/v1/webhook_endpoints/{}`` is about ``webhook_endpoints``, ``/v2/core/event_destinations`` about its last."""
    return route.parts[2 if route.parts[0] == "v2" else 1]


def _claim(account: Account, key: str, method: str, path: str, body: bytes) -> Obj | None:
    """Take ``key`` for a request; its kept answer if it was made before.

    Raises `RequestError`: 400 if the key was another request's, 409 if its request is still at work.
    """
    if len(key) > 255:  # noqa: PLR2004 - the reference's limit
        raise RequestError(400, "Idempotency keys can be up to 255 characters long.", IDEMPOTENCY)
    for name in [name for name, one in account.stored.items() if account.now() >= one["created"] + KEPT_SECONDS]:
        del account.stored[name]
    print_of = hashlib.sha256(b"%b %b\n%b" % (method.encode(), path.encode(), body)).hexdigest()
    found = account.stored.get(key)
    if found is None:
        account.stored[key] = {"created": account.now(), "request": print_of, "answer": None}
        return None
    if found["request"] != print_of:
        words = "Keys for idempotent requests can only be used for the same endpoint and with the same parameters."
        raise RequestError(400, words, IDEMPOTENCY)
    if found["answer"] is None:
        words = "There is currently another in-progress request using this Idempotent Key."
        raise RequestError(409, words, IDEMPOTENCY, code="idempotency_key_in_use")
    kept: Obj = found["answer"]
    return kept


def _settle(account: Account, key: str, answer: Obj | None) -> None:
    """Keep the answer to ``key``, or give the key back."""
    if answer is None:
        account.stored.pop(key, None)
    elif key in account.stored:
        account.stored[key]["answer"] = answer


def catch_up(account: Account) -> None:
    """Do all that is due by now, the earliest first: each thing may make others due."""
    now = account.now()
    while True:
        moment, act = min(_due(account), key=lambda due: due[0], default=(now + 1, _nothing))
        if moment > now:
            return
        with account.at(moment):
            act()
        account.save()


def _nothing() -> None:
    pass


def _due(account: Account) -> Iterator[Due]:
    yield from _sessions(account)
    for subscription in account.of("subscription").values():
        yield from _subscription(account, subscription)
    for invoice in account.of("invoice").values():
        yield from _invoice(account, invoice)


def _sessions(account: Account) -> Iterator[Due]:
    for session in account.of("checkout.session").values():
        if session["status"] == "open":
            yield session["expires_at"], partial(checkout.expire, account, session)


def _subscription(account: Account, one: Obj) -> Iterator[Due]:
    if one["status"] == "incomplete":
        yield one["created"] + INCOMPLETE_SECONDS, lambda: subscriptions.expire_incomplete(account, one)
    elif one["status"] in _RENEWED:
        ends = first_item(one)["current_period_end"]
        if one["cancel_at_period_end"]:
            yield ends, lambda: subscriptions.end(account, one)
        else:
            yield ends, lambda: subscriptions.renew(account, one)


def _invoice(account: Account, one: Obj) -> Iterator[Due]:
    if one["status"] == "draft" and one["automatically_finalizes_at"] is not None:
        yield one["automatically_finalizes_at"], lambda: _collect_draft(account, one)
    elif one["status"] == "open" and one["next_payment_attempt"] is not None:
        yield one["next_payment_attempt"], lambda: subscriptions.retry(account, one)


def _collect_draft(account: Account, invoice: Obj) -> None:
    invoices.finalize(account, invoice)
    subscriptions.attempt(account, invoice)
