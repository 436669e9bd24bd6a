"""E-mail addresses: which are accepted, the one form in which they are kept, and how two are recognised as one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import email_validator

LONGEST: Final = 254
"""Octets of an address in an envelope: RFC 5321, section 4.5.3.1.3, less its angle brackets. All are ASCII."""
LONGEST_LOCAL: Final = 64
"""RFC 5321, section 4.5.3.1.1."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ASCII_HOST: Final = rf"({_LABEL}\.)+(?![0-9]+([^A-Za-z0-9-]|$)){_LABEL}"
# IDNA's rules for what lies beyond ASCII fit into no pattern; whatever keeps them fits this one.
_OTHER_HOST: Final = r"[A-Za-z0-9.-]*[^\u0000-\u007f]([A-Za-z0-9.-]|[^\u0000-\u007f])*"

PATTERN: Final = rf"^{_ATOM}(\.{_ATOM})*@({_ASCII_HOST}|{_OTHER_HOST})$"
"""What every address fits that `read_address` accepts, for the API document."""

# Own mail servers live in `.local`, tests in `.test`: an operator knows which domains get mail, a list does not.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


_NO_HOST: Final = "Behind the @ there must be a host name with a dot, such as example.org."


class AddressError(ValueError):
    """The text is no address; the words say what is wrong, and quote nothing of it."""


def read_address(text: str) -> str:
    """The form in which an address is kept: without space around it, ASCII alone, the domain in lower case.

    A domain beyond ASCII becomes its ASCII form (IDNA 2008, mapped by UTS 46), which every mail server and payment
    provider takes. No name is looked up.

    Raises:
        AddressError: it is no dot-atom at a host name with a dot (RFC 5321, RFC 1035). Quoted local parts, address
            literals and local parts beyond ASCII are legal and refused: mail servers rarely take them.
    """
    try:
        found = email_validator.validate_email(
            text.strip(), allow_smtputf8=False, strict=True, check_deliverability=False, globally_deliverable=False
        )
    except email_validator.EmailNotValidError:
        raise AddressError(_reason(text.strip())) from None
    _, dot, top = found.ascii_domain.rpartition(".")
    if not dot or top.isdigit():
        raise AddressError(_NO_HOST)
    return f"{found.ascii_local_part}@{found.ascii_domain}"


def _reason(text: str) -> str:
    """Why ``text`` is refused, by what people get wrong, the plainest first."""
    local, at, host = text.rpartition("@")
    reasons = (
        (not text.isprintable(), "It holds a character that cannot be seen, or a line break."),
        ("<" in text or ">" in text, "Leave out the name and the angle brackets around it."),
        (not at, "It lacks the @, as in name@example.org."),
        ("@" in local, "It holds more than one @."),
        (not local or not host, "On both sides of the @ there must be something."),
        (" " in text, "It holds a space."),
        (not local.isascii(), "Before the @ most mail servers take letters from a to z, digits and some marks alone."),
        (len(local) > LONGEST_LOCAL, f"Before the @ there may be {LONGEST_LOCAL} characters."),
        (
            re.fullmatch(rf"{_ATOM}(\.{_ATOM})*", local) is None,
            "Before the @ there may be letters, digits, + - _ and the like, with single dots between them.",
        ),
        (len(text) > LONGEST, f"It may have {LONGEST} characters."),
    )
    return next((words for applies, words in reasons if applies), _NO_HOST)


_DOTLESS: Final = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Hosts at which dots in the local part make no other mailbox, with the name that all of a mailbox's hosts share.

Source: "Dots don't matter in Gmail addresses", Gmail's help. Any of their addresses has thousands of spellings."""


def mailbox_key(address: str) -> str:
    """The form in which mails to one person are counted: what follows a plus in the local part names no other mailbox.

    For counting alone. Whose an address is, `email_key` says: RFC 5233's subaddresses are a habit of mail servers, and
    to some ``a+b`` is somebody else than ``a``.
    """
    local, _, domain = email_key(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), _DOTLESS[domain]
    return f"{local}@{domain}"


def ascii_domain(domain: str) -> str:
    """The ASCII form of a host name; raises AddressError if it has none."""
    return read_address(f"x@{domain}").removeprefix("x@")


def email_key(address: str) -> str:
    """The form in which addresses are compared: in practice no mail system tells capitals apart.

    One that was kept before its domain was refused is still found by the same key.
    """
    try:
        return read_address(address).casefold()
    except AddressError:
        return unicodedata.normalize("NFC", address.strip()).casefold()
