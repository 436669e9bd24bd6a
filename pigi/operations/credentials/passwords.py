"""Hashing passwords: Argon2id, slow by design, and so few at once that a flood costs neither memory nor threads.

Who may hash next is shared out by network (`pigi.operations.credentials.turns`).

Every path that ends in "wrong" hashes once, whether there is such an account or not.
"""

from __future__ import annotations

import base64
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from pigi.domain.passwords import flaw_of, normalise
from pigi.domain.throttles import widest_network
from pigi.errors import Refused
from pigi.operations.credentials.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

# RFC 9106, section 4, the second recommended option: 3 passes over 64 MiB in 4 lanes, 128 bits of salt, a tag of 256.
PARAMETERS = profiles.RFC_9106_LOW_MEMORY
AT_ONCE = 2
"""Hashes that a process makes at once: each takes 64 MiB, and more than a machine's cores make none faster."""
SLOTS = 8
"""Requests of a process that may hash or wait for it, and the databases, at once. Fewer than
`web.http.budget.ORDINARY`, so that a flood of sign-ins leaves threads to whoever is signed in."""
SHARE = 4
"""Requests of one network among them: half, as long as no other asks."""

_HASHER = PasswordHasher.from_parameters(PARAMETERS)
_turns = Turns(SLOTS, SHARE, AT_ONCE)


@contextmanager
def hashing_slot(network: str = "") -> Iterator[None]:
    """Room for a request that hashes, from a network, or Pigi's own.

    Raises Refused ``unavailable`` when the network has its `SHARE`, or all `SLOTS` are taken by networks that have no
    more than it; within the block also where its turn to hash was given to a network that had fewer.
    """
    with _turns.place(widest_network(network)):
        yield


def new_hash(password: str, name: str, email: str, pointer: str = "/password") -> str:
    """The hash of a password that somebody chose, within `hashing_slot`.

    ``pointer`` says where in the request it was. Raises Refused ``password_weak``, with what is wrong with it.
    """
    flaw = flaw_of(password, name, email)
    if flaw is not None:
        raise Refused("password_weak", errors=[{"pointer": pointer, "message": flaw}])
    return hash_password(password)


def hash_password(password: str) -> str:
    """Its hash, with salt and parameters, in the PHC string format."""
    with _turns.turn():
        return _HASHER.hash(normalise(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether it is the one behind the hash; takes as long where there is no account, or none that can sign in."""
    try:
        return _verify(password, password_hash or _decoy())
    except InvalidHashError:
        return _verify(password, _decoy())


def renewed(password: str, password_hash: str) -> str:
    """The hash to keep of a password that was right: a new one if the parameters have changed since."""
    return hash_password(password) if _HASHER.check_needs_rehash(password_hash) else password_hash


def _verify(password: str, password_hash: str) -> bool:
    with _turns.turn():
        try:
            return _HASHER.verify(password_hash, normalise(password))
        except VerificationError:
            return False


def _decoy() -> str:
    """A hash in today's form that no password has; comparing with it costs what any other costs."""
    made = PARAMETERS
    salt, tag = (_unpadded(os.urandom(length)) for length in (made.salt_len, made.hash_len))
    costs = f"m={made.memory_cost},t={made.time_cost},p={made.parallelism}"
    return f"$argon2id$v={made.version}${costs}${salt}${tag}"


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()
