"""The document of the promises proves itself to somebody who has it, the published keys and nothing else of Pigi's."""

from __future__ import annotations

import base64
import copy
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator

from pigi.domain.promises_document import SCHEMA, contradictions
from pigi.operations.promises import all_controls, check_controls, promises_document


@pytest.fixture
def document(application):
    cheap = [control for control in all_controls().values() if control.kind == "static"]
    check_controls(application, cheap)
    return promises_document(application)


def test_the_signature_verifies_with_nothing_but_the_published_keys(application, document):
    jwks = {key["kid"]: key["x"] for key in application.keyring.signer.jwks()}
    signature = document.pop("signature")
    x = jwks[signature["kid"]]
    thumb = hashlib.sha256(json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":")).encode())
    assert _decode(signature["kid"]) == thumb.digest()
    key = Ed25519PublicKey.from_public_bytes(_decode(x))
    # All members are texts, small integers, arrays and objects with names in ASCII: RFC 8785 is then this.
    data = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key.verify(_decode(signature["value"]), data)
    with pytest.raises(InvalidSignature):
        key.verify(_decode(signature["value"]), data.replace(b"stale", b"holding", 1))


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_it_has_the_published_form_and_does_not_contradict_itself(document):
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(document)
    assert contradictions(document) == []
    assert {promise["state"] for promise in document["promises"]} == {"holding", "stale"}


def test_whatever_is_painted_green_is_told(document):
    assert document["promises"][0]["state"] == "holding"
    paints = {
        "bear out": lambda green: green["controls"][0].update(state="stale"),
        "did not count": lambda green: green["controls"][0].update(valid_until="2026-01-01T00:00:00Z"),
        "more than 15": lambda green: green["controls"][0].update(valid_until="2999-01-01T00:00:00Z"),
        "cannot be": lambda green: green["controls"][0].update(kind="attested"),
        "every promise once": lambda green: green.update(id="P02"),
    }
    for told, paint in paints.items():
        painted = copy.deepcopy(document)
        paint(painted["promises"][0])
        assert any(told in flaw for flaw in contradictions(painted)), told


def test_what_is_no_such_document_is_refused(document):
    for broken in (
        {},
        {"generated_at": 3, "promises": []},
        {**document, "promises": [{}]},
        {**document, "promises": 3},
    ):
        with pytest.raises(ValueError):
            contradictions(broken)
