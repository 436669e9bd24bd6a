"""Idempotency keys. Source: Stripe's API reference, "Idempotent requests".

The first answer to a key is kept, whatever it was; refusals before the endpoint begins are not. A key is forgotten
after a day. Of the first version's requests only a POST takes one: on a GET or a DELETE it has no effect.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from standins.stripe.errors import IDEMPOTENCY, RequestError

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj

KEPT_SECONDS: Final = 86_400


def claim(account: Account, key: str, method: str, path: str, body: bytes) -> Obj | None:
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
    answer: Obj = found["answer"]
    return answer


def settle(account: Account, key: str, answer: Obj | None) -> None:
    """Keep the answer to ``key``, or give the key back."""
    if answer is None:
        account.stored.pop(key, None)
    elif key in account.stored:
        account.stored[key]["answer"] = answer
