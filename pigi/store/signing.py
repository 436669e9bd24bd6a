"""Signatures that anybody can check who has a public key: Ed25519 (RFC 8032)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pigi.store.sealing import bind

if TYPE_CHECKING:
    from collections.abc import Sequence


class Signer:
    """Signs with the first of its keys; what another of them signed before a rotation can still be checked."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
        self.public_keys = [_encode(key.public_key().public_bytes_raw()) for key in self._keys]

    def sign(self, use: str, data: bytes) -> str:
        """The signature in base64; one made for another ``use`` does not serve this one."""
        return _encode(self._keys[0].sign(bind(use) + data))

    def __repr__(self) -> str:
        return f"<Signer {self.public_keys[0]}>"


def is_signed(public_key: str, use: str, data: bytes, signature: str) -> bool:
    """Whether the holder of this key signed ``data`` for ``use``; False for anything that is not base64."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_decode(public_key))
        key.verify(_decode(signature), bind(use) + data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    """Strictly: base64 has spare bits and skips strange characters, and neither may go unnoticed here."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError from None
    if _encode(data) != text:
        raise ValueError
    return data
