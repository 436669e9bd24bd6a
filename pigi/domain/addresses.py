"""E-mail addresses: which are accepted, and how two are compared."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 254
"""Octets of an address in an envelope: RFC 5321, section 4.5.3.1.3, less its angle brackets. All are ASCII."""
LONGEST_LOCAL = 64
"""RFC 5321, section 4.5.3.1.1."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

PATTERN = rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(?![0-9]+$){_LABEL}$"
"""All of `is_address` but the lengths, for the API document."""

_ADDRESS = re.compile(PATTERN.removesuffix("$") + r"\Z")


def is_address(text: str) -> bool:
    """Whether mail can be sent to it: a dot-atom and a host name with a dot (RFC 5321, RFC 1035).

    Quoted local parts, address literals and local parts beyond ASCII are refused: mail servers rarely take them.
    A domain beyond ASCII is to be given in its ASCII form.
    """
    return len(text) <= LONGEST and text.find("@") <= LONGEST_LOCAL and _ADDRESS.match(text) is not None


def email_key(address: str) -> str:
    """The form in which addresses are compared: in practice no mail system tells capitals apart."""
    return unicodedata.normalize("NFC", address.strip()).casefold()
