"""Sealed columns: AES-256-GCM with the place of the value as associated data.

A sealed value opens only in the organisation, table, column and row it was sealed for, so a value copied
elsewhere in a database is noise. Lengths are not hidden. Nonces are random, 96 bits: NIST SP 800-38D,
section 8.3, allows 2**32 values under one key, far beyond an organisation's.
"""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pigi.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER = struct.Struct(">BH")
OVERHEAD = HEADER.size + NONCE_BYTES + TAG_BYTES
"""Bytes that a sealed value is longer than its text in UTF-8."""
HIGHEST_VERSION = 0xFFFF
CURRENT_SECONDS = 30.0
"""How long a process may go on sealing with a key after another one has made a newer."""


class SealBrokenError(Permanent):
    """A sealed value can't be opened here: altered, moved, or sealed with a key that is not held."""

    def __init__(self) -> None:
        super().__init__("seal_broken")


def bind(*parts: str) -> bytes:
    """Associated data from ``parts``, each with its length, so that no two lists of parts give the same."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def key_version(sealed: bytes) -> int:
    """The version of the data key that ``sealed`` needs; raises SealBrokenError when it is not a sealed value."""
    if len(sealed) < OVERHEAD:
        raise SealBrokenError
    form, version = HEADER.unpack_from(sealed)
    if form != FORMAT:
        raise SealBrokenError
    return int(version)


class Sealer:
    """Seals with data key ``current`` and opens with any of ``keys`` (version, 1 to 65535, to 32 bytes).

    ``reload`` is called once for the newest keys when a value names a version that is not among them, and before
    sealing when they were read too long ago: another process may have rotated the key meanwhile.
    """

    def __init__(
        self,
        organisation_id: str,
        keys: Mapping[int, bytes],
        current: int,
        reload: Callable[[], Mapping[int, bytes]] | None = None,
    ) -> None:
        self.organisation_id = organisation_id
        self.current = current
        self._reload = reload
        self._read_at = time.monotonic()
        self._ciphers = _ciphers(keys)
        if current not in self._ciphers:
            message = "the current key must be among the keys"
            raise ValueError(message)

    def seal(self, text: str, table: str, column: str, row: str) -> bytes:
        """``text`` sealed for one place: header (format, key version), nonce, ciphertext with its tag."""
        return self.seal_bytes(text.encode(), table, column, row)

    def seal_bytes(self, data: bytes, table: str, column: str, row: str) -> bytes:
        """`seal` without encoding, for text that is only copied."""
        if self._reload is not None and time.monotonic() - self._read_at > CURRENT_SECONDS:
            self._renew(self._reload())
        # Another thread may put newer keys in their place at any time: one look at each.
        current, ciphers = self.current, self._ciphers
        header = HEADER.pack(FORMAT, current)
        nonce = os.urandom(NONCE_BYTES)
        bound = header + bind(self.organisation_id, table, column, row)
        return header + nonce + ciphers[current].encrypt(nonce, data, bound)

    def open(self, sealed: bytes, table: str, column: str, row: str) -> str:
        """The text that was sealed for this place; raises SealBrokenError, which never holds content."""
        try:
            return self.open_bytes(sealed, table, column, row).decode()
        except UnicodeDecodeError:
            raise SealBrokenError from None

    def open_bytes(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        """`open` without decoding, for text that is only copied."""
        cipher = self._cipher(key_version(sealed))
        body = HEADER.size + NONCE_BYTES
        bound = sealed[: HEADER.size] + bind(self.organisation_id, table, column, row)
        try:
            return cipher.decrypt(sealed[HEADER.size : body], sealed[body:], bound)
        except InvalidTag:
            raise SealBrokenError from None

    def _renew(self, keys: Mapping[int, bytes]) -> None:
        """Take these keys; none at all are those of an organisation that is just being deleted."""
        self._read_at = time.monotonic()
        if keys:
            # The key before its version, and none taken away: a thread that seals meanwhile finds what it looks up.
            self._ciphers = {**self._ciphers, **_ciphers(keys)}
            self.current = max(keys)

    def _cipher(self, version: int) -> AESGCM:
        if version not in self._ciphers and self._reload is not None:
            self._renew(self._reload())
        try:
            return self._ciphers[version]
        except KeyError:
            raise SealBrokenError from None

    def __repr__(self) -> str:
        return f"<Sealer of {self.organisation_id}, key version {self.current}>"


def _ciphers(keys: Mapping[int, bytes]) -> dict[int, AESGCM]:
    if not all(1 <= version <= HIGHEST_VERSION and len(key) == KEY_BYTES for version, key in keys.items()):
        message = f"versions run from 1 to {HIGHEST_VERSION} and keys have {KEY_BYTES} bytes"
        raise ValueError(message)
    return {version: AESGCM(key) for version, key in keys.items()}
