"""Signatures that anybody can check who has a public key: Ed25519 (RFC 8032).

What Pigi keeps for itself is signed for a use. A document that it gives out is signed as it is, in its canonical form
(RFC 8785), so that whoever has the public key and no code of Pigi's can check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pigi.store.sealing import bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SIGNATURE = "signature"
"""The member of a document that holds its signature, ``{kid, value}``."""


class Signer:
    """Signs with the first of its keys; what another of them signed before a rotation can still be checked."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
        self.public_keys = [_encode(key.public_key().public_bytes_raw()) for key in self._keys]

    def sign(self, use: str, data: bytes) -> str:
        """The signature in base64; one made for another ``use`` does not serve this one."""
        return _encode(self._keys[0].sign(bind(use) + data))

    def sign_document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with its signature, by the first key; raises ValueError for what JSON cannot hold."""
        value = _url_encode(self._keys[0].sign(canonical(document)))
        return {**document, SIGNATURE: {"kid": self.jwks()[0]["kid"], "value": value}}

    def jwks(self) -> list[dict[str, str]]:
        """The public keys in the form of RFC 8037, the one that signs first; each named by its thumbprint."""
        return [jwk_of(key.public_key().public_bytes_raw()) for key in self._keys]

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


def jwk_of(public_key: bytes) -> dict[str, str]:
    """An Ed25519 key as a JSON Web Key (RFC 8037); ``kid`` is its thumbprint (RFC 7638)."""
    required = {"crv": "Ed25519", "kty": "OKP", "x": _url_encode(public_key)}
    kid = _url_encode(hashlib.sha256(rfc8785.dumps(required)).digest())
    return {**required, "kid": kid, "use": "sig"}


def jwk_of_text(public_key: str) -> dict[str, str]:
    """`jwk_of` for a key as `Signer.public_keys` has it."""
    return jwk_of(_decode(public_key))


def canonical(document: Mapping[str, Any]) -> bytes:
    """What is signed: the document without its signature, in its one canonical form (RFC 8785)."""
    try:
        return rfc8785.dumps({name: value for name, value in document.items() if name != SIGNATURE})
    except rfc8785.CanonicalizationError as error:
        raise ValueError from error


def is_document_signed(document: Mapping[str, Any], jwks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of the keys, the one that the signature names, signed exactly this document."""
    signature = document.get(SIGNATURE)
    if not isinstance(signature, dict) or signature.keys() != {"kid", "value"}:
        return False
    try:
        named = [_url_decode(jwk["x"]) for jwk in jwks if jwk.get("kid") == signature["kid"]]
        key = next(key for key in named if jwk_of(key)["kid"] == signature["kid"])
        Ed25519PublicKey.from_public_bytes(key).verify(_url_decode(signature["value"]), canonical(document))
    except (InvalidSignature, StopIteration, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _url_encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _url_decode(text: str) -> bytes:
    """Strictly, as `_decode`: without padding, and without spare bits."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _url_encode(data) != text:
        raise ValueError
    return data


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
