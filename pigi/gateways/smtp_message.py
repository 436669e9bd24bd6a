"""A letter as bytes (RFC 5322, MIME): headers that nothing can be smuggled into, text first, then HTML."""

from __future__ import annotations

import email.policy
import re
import unicodedata
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from pigi.domain.addresses import AddressError, ascii_domain
from pigi.errors import Misconfigured, Permanent

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.ports import Letter

_REFUSED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, line ends among them, halves of surrogate pairs, and Unicode's own ends of lines."""
_LONGEST: Final = 320
"""Characters of a header's value: more than an address may have, and less than a line (RFC 5322, section 2.1.1)."""
_ATOMS: Final = re.compile(r"[^\s()<>\[\]:;@\\,.\"]+(\.[^\s()<>\[\]:;@\\,.\"]+)*")
"""A dot-atom (RFC 5322, section 3.2.3), also beyond ASCII (RFC 6532). Quoted forms are legal and never meant."""


def read_sender(text: str) -> Address:
    """MAIL_FROM, as in ``Pigi <mail@example.org>``; raises Misconfigured unless it is one address."""
    try:
        header = email.policy.SMTP.header_factory("from", _plain(text))
        sender = header.addresses[0]
        fits = len(header.addresses) == 1 and not header.defects and bool(sender.domain) and sender.addr_spec.isascii()
        address = Address(sender.display_name, addr_spec=sender.addr_spec)
    except (MessageError, Permanent, ValueError, IndexError, AttributeError):
        fits = False
    if not fits:
        raise Misconfigured(["MAIL_FROM must be one address, such as Pigi <mail@example.org>"])
    return address


def read_recipient(text: str) -> Address:
    """The one address to send to; raises Permanent ``mail_malformed`` for anything else, however it may parse."""
    local, _, domain = _plain(text).rpartition("@")
    if not _ATOMS.fullmatch(local) or not _ATOMS.fullmatch(domain):
        raise Permanent("mail_malformed")
    if not domain.isascii():
        domain = _in_ascii(domain)
    return Address(username=local, domain=domain)


def _in_ascii(domain: str) -> str:
    """Every server takes this form, and only some take the other (RFC 6531, section 3.2)."""
    try:
        return ascii_domain(domain)
    except AddressError:
        raise Permanent("mail_malformed") from None


def write_message(letter: Letter, sender: Address, host: str, at: datetime) -> bytes:
    """The message, lines ended by CRLF; raises Permanent ``mail_malformed`` if a header holds what it must not.

    ``host`` is the right half of the Message-ID: together with the letter's id it is the same at every try, so
    that mailboxes can fold duplicates.
    """
    recipient = read_recipient(letter.recipient)
    message = EmailMessage(email.policy.SMTP if recipient.addr_spec.isascii() else email.policy.SMTPUTF8)
    message["Date"] = format_datetime(at)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = _plain(letter.subject)
    message["Message-ID"] = f"<{_plain(letter.id)}@{host}>"
    # RFC 3834, section 5: no vacation notice shall answer.
    message["Auto-Submitted"] = "auto-generated"
    # Seven-bit lines of at most 76 characters pass every server unchanged, so a signature added later holds.
    message.set_content(_whole(letter.text), cte="quoted-printable")
    message.add_alternative(_whole(letter.html), subtype="html", cte="quoted-printable")
    return message.as_bytes()


def _plain(value: str) -> str:
    if len(value) > _LONGEST or any(unicodedata.category(sign) in _REFUSED for sign in value):
        raise Permanent("mail_malformed")
    return value


def _whole(text: str) -> str:
    """Half of a surrogate pair has no form as bytes, and the error that says so would hold the text."""
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Permanent("mail_malformed")
    return text
