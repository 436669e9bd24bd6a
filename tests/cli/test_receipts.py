"""`pigi verify-receipt`: what an outsider proves with a file and the published keys, and what the exit code says."""

from __future__ import annotations

import json

import pytest

from pigi.settings import Settings
from pigi.store.keyring import Keyring


@pytest.fixture
def signer(pigi):
    return Keyring.from_settings(Settings(home=pigi.home / "var")).signer


@pytest.fixture
def receipt(signer):
    counts = {"database": 12, "files": 0}
    return signer.sign_document({"format": "pigi-receipt", "version": 1, "id": "x", "counts": counts, "kept": []})


def saved(tmp_path, document, name="receipt.json"):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=4))
    return str(path)


def test_a_receipt_is_checked_with_the_own_keyring_or_with_the_published_keys(pigi, tmp_path, signer, receipt):
    file = saved(tmp_path, receipt)
    done = pigi("verify-receipt", file)
    assert (done.returncode, done.stderr) == (0, "")
    keys = saved(tmp_path, {"keys": signer.jwks()}, "keys.json")
    done = pigi("verify-receipt", file, "--keys", keys, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (
        0,
        {"valid": True, "id": "x", "kid": receipt["signature"]["kid"]},
    )
    others = saved(tmp_path, {"keys": []}, "others.json")
    assert pigi("verify-receipt", file, "--keys", others).returncode == 1


def test_whatever_was_altered_fails_and_what_is_no_receipt_is_said_to_be_none(pigi, tmp_path, receipt):
    altered = [
        {**receipt, "counts": {**receipt["counts"], "database": 13}},
        {**receipt, "format": "other"},
        {**receipt, "signature": {**receipt["signature"], "value": "A" * 86}},
        {name: value for name, value in receipt.items() if name != "kept"},
        json.dumps(receipt)[:-5],
        json.dumps(receipt).replace('"version": 1', '"version": 2, "version": 1'),
    ]
    for document in altered:
        assert pigi("verify-receipt", saved(tmp_path, document)).returncode == 1, document
    for document in ({"keys": []}, "[]", "no JSON", ""):
        assert pigi("verify-receipt", saved(tmp_path, document)).returncode == 2, document
