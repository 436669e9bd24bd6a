"""The privacy facts that every column carries (promise P07).

One source for the inventory, the access export, the erasure plan and the record of processing
(GDPR article 30). `pigi.store.base` refuses, at import, a column that has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.domain.retention import Basis, Retention


class Category(StrEnum):
    """What kind of data a column holds."""

    TECHNICAL = "technical"
    PSEUDONYM = "pseudonym"
    CONTACT = "contact"
    CONTENT = "content"
    SECRET = "secret"  # noqa: S105 - a category's name
    LABEL = "label"


class Subject(StrEnum):
    """Whom the data is about."""

    NOBODY = "nobody"
    MEMBER = "member"
    ORGANISATION = "organisation"


class Disclosure(StrEnum):
    """What an export does with a column. An access export holds only rows that lead to the person who asks."""

    INCLUDED = "included"
    WITHHELD = "withheld"


class Erasure(StrEnum):
    """What erasing the organisation, or the person, does with a column."""

    DELETED = "deleted"
    KEPT = "kept"
    LAST = "deleted last"
    """By the end of the deletion itself, which must know until then of whom it is."""


class Role(StrEnum):
    """As what Pigi holds data (GDPR article 4, points 7 and 8)."""

    CONTROLLER = "controller"
    PROCESSOR = "processor"


class Recipient(StrEnum):
    """Who else gets data (GDPR article 30(1)(d)); what each gets and why is in `pigi.domain.recipients`."""

    STRIPE = "stripe"
    ANTHROPIC = "anthropic"
    BUNNY = "bunny fonts"
    MAIL = "mail"


@dataclass(frozen=True)
class ColumnFacts:
    """What must be known of a column before it may exist."""

    category: Category
    subject: Subject
    purpose: str
    basis: Basis
    retention: Retention
    access: Disclosure
    export: Disclosure
    erasure: Erasure
    role: Role = Role.CONTROLLER
    recipients: tuple[Recipient, ...] = ()
