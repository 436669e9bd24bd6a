"""How often something may be tried, all in one place, and the arithmetic of it.

A bucket holds ``burst`` tries and gets one back every ``every`` seconds: the generic cell rate algorithm
(ITU-T I.371), of which one number is kept, the moment at which the bucket is full again. Tries that turn out
right are given back, so that only failures count.

Nobody can lock another out. What an attacker's tries use up belongs to the attacker's own networks. If an
account has more failures than one person makes, each network has one try at it in ten minutes, and no fewer:
its owner, who knows the password, gets in with the first.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from pigi.domain.mail import Template


@dataclass(frozen=True)
class Bucket:
    """``burst`` tries at once, then one every ``every`` seconds. Buckets of one name share what is used up."""

    name: str
    burst: int
    every: float

    @property
    def room(self) -> float:
        """Seconds from empty to full."""
        return self.burst * self.every

    def after_try(self, full_at: float, moment: float) -> float | None:
        """When the bucket will be full after one more try; None if it is empty. In seconds since 1970."""
        after = max(full_at, moment) + self.every
        return after if after <= moment + self.room else None

    def wait(self, full_at: float, moment: float) -> float:
        """Seconds until one more try fits."""
        return max(0.0, full_at + self.every - self.room - moment)

    def unused(self, taken_at: float, moment: float) -> float:
        """How many seconds of a try have certainly not refilled by themselves: what giving it back moves `full_at` by.

        Tries refill one after another, and others may be given back meanwhile, so no more is certain than that a try
        has refilled for no longer than ago it was taken.
        """
        return max(0.0, min(self.every, self.every - (moment - taken_at)))


@dataclass(frozen=True)
class ThrottlePolicy:
    """A throttle's policy: the buckets that one try is taken from; all must have it.

    Attributes:
        network: one for each network, whatever it tries.
        subject: one for each thing tried (an account, an address), from wherever. An attacker can empty it, so it
            may only guard what its owner does not need.
        pair: one for each thing and network.
        subject_total: one for each thing, which refuses nothing itself; while it is empty, `under_attack` counts too.
        under_attack: one for each thing and `widest_network`.
        work: one for each `widest_network`, of which right tries are not given back: it guards what a try costs.
    """

    network: Bucket | None = None
    subject: Bucket | None = None
    pair: Bucket | None = None
    subject_total: Bucket | None = None
    under_attack: Bucket | None = None
    work: Bucket | None = None


_HASHING: Final = Bucket("hashing for a network", 120, 0.5)
"""Each hash costs a tenth of a second of a core and more: 2 a second are what one network may ask for in the long run,
whether its passwords are right or wrong. Behind one address are whole offices, whose mornings the burst is for."""
NEW_PASSWORD: Final = ThrottlePolicy(work=_HASHING)
"""Whoever has a link that lets them choose a password."""
_WRONG_PASSWORDS: Final = Bucket("wrong passwords", 30, 2)

SIGN_IN: Final = ThrottlePolicy(
    network=_WRONG_PASSWORDS,
    pair=Bucket("wrong passwords of an account", 5, 30),
    subject_total=Bucket("wrong passwords of an account, everywhere", 50, 72),
    under_attack=Bucket("wrong passwords of an account under attack", 1, 600),
    work=_HASHING,
)
CODES: Final = ThrottlePolicy(subject=Bucket("wrong codes of an account", 10, 360))
"""Ten at once and 240 a day, of a million of which three count: guessing takes years. By account alone, since whoever
comes so far knows the password and may have many networks. They can so keep the owner's device out, but not the owner:
recovery codes, which cannot be guessed, are not counted, and a new password ends it."""
ALL_CODES: Final = ThrottlePolicy(subject=Bucket("wrong codes of an account, whatever its password", 100, 360))
"""A new password leaves these as they are: whoever reads the account's mail could choose one after each ten codes, and
the second factor is what keeps them out. It fills as fast as `CODES`, so who knows the password alone cannot empty
it."""
CONFIRMATION: Final = ThrottlePolicy(
    network=_WRONG_PASSWORDS, subject=Bucket("wrong passwords of a registration", 5, 30), work=_HASHING
)
"""Only who has the mailed link can use its tries up."""
REGISTRATION: Final = ThrottlePolicy(network=Bucket("registrations", 20, 10), work=_HASHING)
WELCOME: Final = ThrottlePolicy(
    pair=Bucket("registrations of an address", 5, 720),
    subject_total=Bucket("registrations of an address, everywhere", 20, 180),
    under_attack=Bucket("registrations of an address under attack", 1, 3600),
)
"""Mails to an address that somebody gave. Not by address alone: each registration has its own password, so who
empties that would keep the address's owner from registering."""
WELCOME_MAILBOX: Final = ThrottlePolicy(subject=Bucket("registrations of a mailbox", 60, 120))
"""All addresses of a mailbox together (`pigi.domain.addresses.mailbox_key`). Wide, since people who test register many,
and since nobody who fills it is to keep the mailbox's owner out for long."""
RESET: Final = ThrottlePolicy(network=Bucket("password resets", 20, 10))
RESET_MAIL: Final = ThrottlePolicy(subject=Bucket("password resets of an address", 5, 720))
"""By address alone, as it is compared: whoever requests them, the links go to the owner, who has one of the last 12
minutes. Other addresses of the mailbox would use it up and bring the owner nothing."""
TICKET: Final = ThrottlePolicy(
    network=Bucket("tickets", 10, 360),
    subject_total=Bucket("tickets, everywhere", 200, 60),
    under_attack=Bucket("tickets under attack", 1, 1800),
)
"""Messages by people who need no account. While very many come, each customer's network has one in half an hour: a
report of a vulnerability still gets through."""
TICKET_NOTICE: Final = ThrottlePolicy(subject=Bucket("notices of tickets", 20, 120))
"""Mails to whoever answers, by the kind of message. What is left out is in the register all the same."""
NEW_ADDRESS: Final = ThrottlePolicy(subject=Bucket("new addresses of an account", 5, 720))
PRIVACY_REQUESTS: Final = ThrottlePolicy(subject=Bucket("requests about data of an account", 20, 1800))
"""So that nobody buries what others ask. Only whoever is signed in there can use an account's up."""

_REGISTRATIONS: Final = Bucket("mails about registrations to a mailbox", 10, 900)
_BY_PASSWORD: Final = "it warns, and takes the account's password, a code of it or a link that was mailed to it"  # noqa: S105 - a reason
_BY_OPERATOR: Final = "an operator asks for it, who is named in the audit log"
_ONCE: Final = "it is sent once of each"

MAIL_LIMITS: Final[dict[Template, Bucket | str]] = {
    # Whoever fills these keeps others' mails of the kind from the mailbox for hours, and no other mail. It is the
    # lesser harm: what the mails were about stands, and can be sent again.
    Template.INVITATION: Bucket("invitations to a mailbox", 5, 4 * 3600),
    Template.WELCOME: _REGISTRATIONS,
    Template.ALREADY_REGISTERED: _REGISTRATIONS,
    # The links of the last hour still work.
    Template.PASSWORD_RESET: Bucket("password resets to a mailbox", 5, 720),
    Template.CONFIRM_ADDRESS: Bucket("confirmations of an address to a mailbox", 5, 3600),
    # The page has shown all that it says.
    Template.TICKET_RECEIVED: Bucket("receipts of tickets to a mailbox", 3, 3600),
    Template.TICKET_NOTICE: "`TICKET_NOTICE` counts it where it is asked for, so that none of one kind hides another's",
    # An organisation can be deleted and restored again and again, of which the mail about dear acts tells too. Wide:
    # whoever deletes their account takes many organisations along.
    Template.DELETION_STARTED: Bucket("deletions told to a mailbox", 30, 1200),
    Template.DEAR_ACT: "gathered: one at once and one an hour, and only to those who belong there",
    Template.KEYS_SETTLED: "it takes a member who leaves, and goes to those who belong there",
    Template.OWNERS_CHANGED: "nothing asks for it any more",
    Template.ADDRESS_CHANGED: "it warns; the account asks, whose new addresses are counted",
    Template.ADDRESS_UNDO: "it warns, and is sent once of each change, which is counted",
    Template.PASSWORD_CHANGED: _BY_PASSWORD,
    Template.SECOND_FACTOR_ON: _BY_PASSWORD,
    Template.SECOND_FACTOR_OFF: _BY_PASSWORD,
    Template.RECOVERY_CODE_USED: _BY_PASSWORD,
    Template.ACCOUNT_DELETION_STARTED: _BY_PASSWORD,
    Template.ACCOUNT_DELETION_WARNING: _ONCE,
    Template.DELETION_WARNING: _ONCE,
    Template.DELETION_RECEIPT: _ONCE,
    Template.KEY_EXPIRING: "it is sent once of each key, and keys are counted",
    Template.POLICY_CHANGED: _ONCE,
    Template.EXPORT_READY: _BY_OPERATOR,
    Template.PRIVACY_REQUEST_EXTENDED: _BY_OPERATOR,
    Template.PRIVACY_REQUEST_ANSWERED: _BY_OPERATOR,
    Template.TICKET_ANSWER: _BY_OPERATOR,
    Template.PROMISE_ALARM: "to operators, and gathered by the round of checks",
}
"""How many mails of each kind a mailbox gets (`pigi.domain.addresses.mailbox_key`), whoever asks for them and from
wherever; or why it need not be counted. `pigi.operations.mail.sending` asks it of every mail before it goes out."""

CUSTOMER_PREFIX: Final = 48
"""The most that one customer usually has of IPv6 (RFC 6177): 65,536 networks of 64 bits."""


def widest_network(network: str) -> str:
    """The widest network that may be one customer's: an IPv4 address itself, 48 bits of an IPv6 network."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError:
        return network
    if isinstance(found, ipaddress.IPv4Network) or found.prefixlen <= CUSTOMER_PREFIX:
        return network
    return str(found.supernet(new_prefix=CUSTOMER_PREFIX))
