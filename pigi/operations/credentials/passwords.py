"""Hashing passwords: Argon2id, slow by design, and so few at once that a flood costs neither memory nor threads.

Every path that ends in "wrong" hashes once, whether there is such an account or not.
"""

from __future__ import annotations

import base64
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from pigi.domain.passwords import flaw_of, normalise
from pigi.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

# RFC 9106, section 4, the second recommended option: 3 passes over 64 MiB in 4 lanes, 128 bits of salt, a tag of 256.
PARAMETERS = profiles.RFC_9106_LOW_MEMORY
AT_ONCE = 2
"""Hashes that a process makes at once: each takes 64 MiB, and more than a machine's cores make none faster."""
SLOTS = 8
"""Requests of a process that may hash or wait for it, and the databases, at once. Fewer than
`web.http.budget.ORDINARY`, so that a flood of sign-ins leaves threads to whoever is signed in."""
RETRY_SECONDS = 2

_HASHER = PasswordHasher.from_parameters(PARAMETERS)
_turns = threading.BoundedSemaphore(AT_ONCE)
_slots = threading.BoundedSemaphore(SLOTS)


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Room for a request that hashes; raises Refused ``unavailable`` when all `SLOTS` are taken."""
    if not _slots.acquire(blocking=False):
        raise Refused("unavailable", retry_after=RETRY_SECONDS)
    try:
        yield
    finally:
        _slots.release()


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
    with _turns:
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
    with _turns:
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
