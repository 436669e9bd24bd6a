"""Codes of a second factor: six digits that a device makes of a secret and the time, and recovery codes.

Of time-based codes the defaults of RFC 6238 (HMAC-SHA-1, 30 seconds, 6 digits): many apps know no others, and read an
address that asks for more without a word.
"""

from __future__ import annotations

import base64
import hmac
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain.throttles import ALL_CODES, CODES
from pigi.errors import Refused
from pigi.operations.credentials.throttling import Try, acquire
from pigi.operations.credentials.tokens import token_hash
from pigi.store.people import DEVICE_SECRET, RecoveryCode, SecondFactor

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from pigi.application import Application
    from pigi.store.keyring import Keyring

FACTOR: Any = SecondFactor.__table__
RECOVERY: Any = RecoveryCode.__table__
ISSUER = "Pigi"
STEP_SECONDS = 30
DIGITS = 6
_HASH = SHA1()  # noqa: S303 - within HMAC, whose strength does not rest on collisions (RFC 6151, section 2)
DRIFT = 1
"""Steps that a device's clock may be off, either way: RFC 6238, section 5.2, advises at most one."""
SECRET_BYTES = 20
"""160 bits: RFC 4226, section 4, R6."""
RECOVERY_BYTES = 15
"""120 bits: NIST SP 800-63B, section 5.1.2.2, lets secrets of 112 bits or more be kept as a plain hash."""
RECOVERY_LENGTH = 24
GROUP = 6
WRONG = [{"pointer": "/code", "message": "is wrong, used or too old"}]


class Proof(StrEnum):
    """What a code was."""

    DEVICE = "device"
    RECOVERY = "recovery"


def new_secret() -> bytes:
    """What a device will make its codes from."""
    return os.urandom(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """The secret as people type it into a device: base32."""
    return base64.b32encode(secret).decode()


def setup_uri(secret: bytes, email: str) -> str:
    """The otpauth address that apps read from a QR code; it names the account, so that people tell theirs apart."""
    return TOTP(secret, DIGITS, _HASH, STEP_SECONDS).get_provisioning_uri(email, ISSUER)


def matching_step(secret: bytes, code: str, seconds: float) -> int | None:
    """The step, counted from 1970, of which ``code`` is the code, if that is within `DRIFT` of now."""
    found, current = None, int(seconds) // STEP_SECONDS
    codes = HOTP(secret, DIGITS, _HASH)
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(codes.generate(step), code.encode("utf-8", "replace")):
            found = step
    return found


def new_recovery_code() -> str:
    """A recovery code as it is shown: four groups of base32, which has neither 0, 1 nor 8."""
    text = base64.b32encode(os.urandom(RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def read_code(code: str) -> str:
    """A code without what people put between its signs."""
    return "".join(code.replace("-", "").split()).upper()


def is_recovery_code(code: str) -> bool:
    """Whether it has the length of one; a device's has six digits."""
    return len(read_code(code)) == RECOVERY_LENGTH


def recovery_hash(code: str) -> str:
    """What is kept of a recovery code."""
    return token_hash(read_code(code))


def has_factor(session: Session, account_id: str) -> bool:
    """Whether the account's sign-in takes a second factor."""
    active = (FACTOR.c.account_id == account_id) & FACTOR.c.confirmed_at.is_not(None)
    return session.scalar(select(FACTOR.c.account_id).where(active)) is not None


def acquire_code(application: Application, account_id: str, code: str) -> Try | None:
    """A try at an account's code, to be refunded if it was right; recovery codes cannot be guessed, so need none.

    Raises Refused ``too_many_tries``.
    """
    if is_recovery_code(code):
        return None
    tried = acquire(application, CODES, subject=account_id)
    try:
        ever = acquire(application, ALL_CODES, subject=account_id)
    except Refused:
        tried.refund()
        raise
    return Try(application, tried.at, [*tried.taken, *ever.taken])


def spend_code(session: Session, keyring: Keyring, account_id: str, code: str) -> Proof:
    """Use a code up in the session's transaction: none counts twice, however many requests bring it at once.

    Raises:
        Refused: ``wrong_code``, also where there is no second factor.
        SealBrokenError: the keyring lost the key that sealed the device's secret; recovery codes still work.
    """
    if is_recovery_code(code):
        own = (RECOVERY.c.account_id == account_id) & (RECOVERY.c.code_hash == recovery_hash(code))
        if has_factor(session, account_id) and _changed(session, delete(RECOVERY).where(own)):
            return Proof.RECOVERY
        raise Refused("wrong_code", errors=WRONG)
    active = (FACTOR.c.account_id == account_id) & FACTOR.c.confirmed_at.is_not(None)
    sealed = session.scalar(select(FACTOR.c.sealed).where(active))
    step = None
    if sealed is not None:
        step = matching_step(keyring.open(DEVICE_SECRET, account_id, sealed), read_code(code), now().timestamp())
    if step is None or not _changed(
        session, update(FACTOR).where(active, FACTOR.c.last_step < step).values(last_step=step)
    ):
        raise Refused("wrong_code", errors=WRONG)
    return Proof.DEVICE


def _changed(session: Session, statement: Any) -> bool:
    result: Any = session.execute(statement)
    return bool(result.rowcount == 1)
