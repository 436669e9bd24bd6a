"""Keys: rotation of the keyring and of organisations' data keys, and how old every key is (promise P20)."""

from __future__ import annotations

from pigi.operations.keys.data_keys import rotate_data_key
from pigi.operations.keys.keyring import names_needed, public_jwks, refuse_missing_keys, rotate_keyring
from pigi.operations.keys.providers import KeyRegister, note_provider_keys
from pigi.operations.keys.report import (
    DataKeyLine,
    KeyringLine,
    KeysReport,
    ProviderKeyLine,
    data_keys_late,
    keyring_lines,
    keys_to_replace,
    provider_key_lines,
    report_keys,
)
from pigi.operations.keys.rotating import request_rotation, rotate_due

__all__ = [
    "DataKeyLine",
    "KeyRegister",
    "KeyringLine",
    "KeysReport",
    "ProviderKeyLine",
    "data_keys_late",
    "keyring_lines",
    "keys_to_replace",
    "names_needed",
    "note_provider_keys",
    "provider_key_lines",
    "public_jwks",
    "refuse_missing_keys",
    "report_keys",
    "request_rotation",
    "rotate_data_key",
    "rotate_due",
    "rotate_keyring",
]
