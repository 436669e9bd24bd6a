"""The privacy facts that every column carries (promise P07).

One source for the inventory, the access export, the erasure plan and the record of processing
(GDPR article 30). `pigi.store.base` refuses, at import, a column that has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.domain.retention import Retention


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


class Basis(StrEnum):
    """The legal basis (GDPR article 6(1), points b, c and f)."""

    CONTRACT = "contract"
    LAW = "law"
    INTEREST = "legitimate interest"


class Disclosure(StrEnum):
    """What an export does with a column."""

    INCLUDED = "included"
    WITHHELD = "withheld"


class Erasure(StrEnum):
    """What erasing the organisation does with a column."""

    DELETED = "deleted"
    KEPT = "kept"


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
