"""E-mail addresses: which are taken, and how two are told to be one."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 254
"""Octets of an address in an envelope: RFC 5321, section 4.5.3.1.3, less its angle brackets."""
LONGEST_LOCAL = 64
"""RFC 5321, section 4.5.3.1.1."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

PATTERN = r"^[^@\s]{1,64}@[^@\s]{1,253}$"
"""What the API document can say of it; `is_address` is stricter."""


def is_address(text: str) -> bool:
    """Whether mail can be sent to it: a dot-atom and a host name with a dot (RFC 5321, RFC 1035).

    Quoted local parts, address literals and local parts beyond ASCII are refused: mail servers rarely take them.
    A domain beyond ASCII is to be given in its ASCII form.
    """
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    return (
        bool(at)
        and len(text.encode()) <= LONGEST
        and len(local) <= LONGEST_LOCAL
        and bool(_LOCAL.fullmatch(local))
        and len(labels) > 1
        and not labels[-1].isdigit()
        and all(_LABEL.fullmatch(label) for label in labels)
    )


def email_key(address: str) -> str:
    """The form in which addresses are compared: in practice no mail system tells capitals apart."""
    return unicodedata.normalize("NFC", address.strip()).casefold()
