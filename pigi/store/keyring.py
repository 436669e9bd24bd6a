"""The keyring: the installation's own keys, which wrap each organisation's data key.

The first key encrypts and all decrypt, so a rotation is: add a new key at the end and restart every process,
put it first and restart them again, put everything under it (`pigi.operations.keys`), and take the old key away when
what waits under it is over (`pigi.domain.keys.WAITING`). Keys come from PIGI_SECRET_KEYS; in development
alone one is made under PIGI_HOME. No key is in a repr, a message or an error.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pigi.errors import Misconfigured, Temporary
from pigi.production import exposure_of
from pigi.store.files import aside, locked
from pigi.store.sealing import KEY_BYTES, NONCE_BYTES, SealBrokenError, bind
from pigi.store.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.settings import Settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
ENTRY = re.compile(rf"\s*{NAME.pattern}:")
"""What tells entries from a path: a path with a colon in its first part must start with ``/`` or ``./``."""


class KeyMissingError(Temporary):
    """The keyring lacks the key that wraps this data key: an operator took it away too early."""

    def __init__(self) -> None:
        super().__init__("key_missing")


class Keyring:
    """Wraps and unwraps data keys. ``keys`` are (name, 32 bytes), the one that encrypts first."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys or len(dict(keys)) != len(keys) or any(len(key) != KEY_BYTES for _, key in keys):
            raise Misconfigured(["PIGI_SECRET_KEYS must hold one or more keys of 32 bytes with different names"])
        if len({key for _, key in keys}) != len(keys):
            # A rotation from one to the other would move every row and change nothing.
            raise Misconfigured(["PIGI_SECRET_KEYS must not hold one key under two names: make a new one"])
        self.current = keys[0][0]
        self.names = [name for name, _ in keys]
        self._ciphers = {name: AESGCM(_derive(key, "wrap data keys")) for name, key in keys}
        self._boxes = [AESGCM(_derive(key, "seal rows")) for _, key in keys]
        self._digest_keys = [_derive(key, "digest") for _, key in keys]
        self._token_keys = [_derive(key, "tokens") for _, key in keys]
        self.signer = Signer([_derive(key, "sign") for _, key in keys])

    @classmethod
    def from_settings(cls, settings: Settings) -> Keyring:
        """The installation's keyring; raises Misconfigured, which says what is wrong but never shows a key."""
        text = settings.secret_keys
        if not text and settings.production:
            raise Misconfigured(["PIGI_SECRET_KEYS must be set in production"])
        if not text:
            return cls(_parse(_development_file(settings.home)))
        return cls(_parse(text.split(",") if ENTRY.match(text) else _lines(Path(text).expanduser(), _NAMED)))

    def wrap(self, organisation_id: str, key: bytes) -> tuple[str, bytes]:
        """Wrap an organisation's data key; returns the name of the wrapping key and the wrapped bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return self.current, nonce + self._ciphers[self.current].encrypt(nonce, key, _bound(organisation_id))

    def unwrap(self, organisation_id: str, keyring_id: str, wrapped: bytes) -> bytes:
        """The data key.

        Raises:
            KeyMissingError: the keyring has no key named ``keyring_id``.
            SealBrokenError: altered, or wrapped for another organisation or with another key of that name.
        """
        cipher = self._ciphers.get(keyring_id)
        if cipher is None:
            raise KeyMissingError
        try:
            return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(organisation_id))
        except (InvalidTag, ValueError):
            raise SealBrokenError from None

    def seal(self, use: str, row: str, data: bytes) -> bytes:
        """``data`` sealed with the first key for one ``row`` and one ``use``: for few and short-lived values of Pigi's.

        What belongs to an organisation is sealed with its own data key (`pigi.store.sealing`).
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._boxes[0].encrypt(nonce, data, bind(use, row))

    def open(self, use: str, row: str, sealed: bytes) -> bytes:
        """What `seal` sealed under any key of the ring; raises SealBrokenError: altered, moved, or its key is gone."""
        for box in self._boxes:
            try:
                return box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bind(use, row))
            except (InvalidTag, ValueError):
                continue
        raise SealBrokenError

    def sealed_by(self, use: str, row: str, sealed: bytes) -> str | None:
        """The name of the key under which `seal` sealed this; None if the ring has it not."""
        for name, box in zip(self.names, self._boxes, strict=True):
            try:
                box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bind(use, row))
            except (InvalidTag, ValueError):
                continue
            return name
        return None

    def digest(self, label: str, data: bytes) -> str:
        """HMAC-SHA256 of ``data`` in hex, under a key derived from the first key; ``label`` parts uses.

        Once another key comes first digests change. Whoever compares them with what was stored, or relies on
        their being unique, must consider `digests`. What is told apart by this one alone forgets in a rotation:
        throttles, whose buckets then are full once more, and hashes of addresses in the ledger of mails, which
        nothing looks up.
        """
        return _digest(self._digest_keys[0], label, data)

    def digests(self, label: str, data: bytes) -> list[str]:
        """`digest` under each key, the first key's first: one of them was stored, also if keys were rotated since.

        Two keyrings that share a key share a digest, so a constraint over all of them holds while some processes
        have the new keyring and others still the old one.
        """
        return [_digest(key, label, data) for key in self._digest_keys]

    def token(self, use: str, row: str) -> str:
        """The secret of a mailed link to ``row``: 256 bits that only the keyring can tell, so no row need hold them."""
        return _token(self._token_keys[0], use, row)

    def tokens(self, use: str, row: str) -> list[str]:
        """`token` under each key, the first key's first: one of them was mailed, also if keys were rotated since."""
        return [_token(key, use, row) for key in self._token_keys]

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._ciphers)}, first {self.current}>"


def _digest(key: bytes, label: str, data: bytes) -> str:
    return hmac.digest(key, bind(label) + data, "sha256").hex()


def _token(key: bytes, use: str, row: str) -> str:
    digest = hmac.digest(key, bind(use, row), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bound(organisation_id: str) -> bytes:
    return bind("pigi data key", organisation_id)


def _derive(key: bytes, use: str) -> bytes:
    """A subkey for one use (HKDF, RFC 5869), since a key should serve one algorithm only."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"pigi {use}".encode()).derive(key)


def _parse(entries: Sequence[str]) -> list[tuple[str, bytes]]:
    kept = [entry.strip() for entry in entries if entry.strip() and not entry.strip().startswith("#")]
    return [_entry(place, entry) for place, entry in enumerate(kept, start=1)]


def _entry(place: int, entry: str) -> tuple[str, bytes]:
    name, _, encoded = entry.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not NAME.fullmatch(name) or len(key) != KEY_BYTES:
        raise Misconfigured([f"PIGI_SECRET_KEYS: entry {place} must be name:base64 of 32 bytes"]) from None
    return name, key


_NAMED = "the file that PIGI_SECRET_KEYS names"


def _lines(path: Path, called: str) -> list[str]:
    """The lines of a file that is its owner's alone, in every mode: a key that others know is none."""
    if exposed := exposure_of(path):
        raise Misconfigured([f"{called} {exposed}, and draw new keys if others may have been there"])
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        problem = "PIGI_SECRET_KEYS must be name:base64 entries parted by commas, or the path of a readable file"
        raise Misconfigured([problem]) from None


def _development_file(home: Path) -> list[str]:
    path = home / "keys"
    with locked(home / "keys.lock"):
        if not path.exists():
            with aside(path) as draft:
                draft.write_text(f"development:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n", "utf-8")
    return _lines(path, f"the file of keys {path}")
