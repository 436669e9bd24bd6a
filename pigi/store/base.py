"""The two bases, and the rule that no column exists without its privacy facts (promise P07).

Two metadata: a foreign key from one database to the other cannot be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from pigi.domain.privacy import Category, ColumnFacts, Disclosure, Erasure, Role, Subject
from pigi.domain.retention import PERIODS

if TYPE_CHECKING:
    from pigi.domain.privacy import Recipient
    from pigi.domain.retention import Retention

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class UnannotatedColumnError(TypeError):
    """A column was declared without privacy facts."""


class _Annotated(DeclarativeBase):
    """A base whose every column says what it is for."""

    __abstract__ = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table = cls.__dict__.get("__table__")
        bare = [column.name for column in table.columns if "facts" not in column.info] if table is not None else []
        if bare:
            message = f"{cls.__name__}: columns without privacy facts: {', '.join(bare)}"
            raise UnannotatedColumnError(message)


class ControlBase(_Annotated):
    """Tables of the control database."""

    __abstract__ = True
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


class TenantBase(_Annotated):
    """Tables of an organisation's own database."""

    __abstract__ = True
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def technical(purpose: str, retention: Retention) -> dict[str, ColumnFacts]:
    """Facts of a column that is about nobody: states, times, counts, random identifiers.

    In the access export of a person it goes along with the row that it explains.
    """
    return _info(Category.TECHNICAL, purpose, retention, subject=Subject.NOBODY, access=Disclosure.INCLUDED)


def content(
    purpose: str, retention: Retention, export: Disclosure = Disclosure.INCLUDED, to: tuple[Recipient, ...] = ()
) -> dict[str, ColumnFacts]:
    """Facts of a column that holds what people of the organisation wrote or were written for."""
    return _info(
        Category.CONTENT, purpose, retention, access=Disclosure.INCLUDED, export=export, role=Role.PROCESSOR, to=to
    )


def label(purpose: str, retention: Retention, to: tuple[Recipient, ...] = ()) -> dict[str, ColumnFacts]:
    """Facts of a name that people gave to a thing."""
    shown = Disclosure.INCLUDED
    return _info(Category.LABEL, purpose, retention, access=shown, export=shown, role=Role.PROCESSOR, to=to)


def contact(purpose: str, retention: Retention, to: tuple[Recipient, ...] = ()) -> dict[str, ColumnFacts]:
    """Facts of a person's name or address."""
    return _info(Category.CONTACT, purpose, retention, to=to, subject=Subject.MEMBER, access=Disclosure.INCLUDED)


def pseudonym(
    purpose: str, retention: Retention, to: tuple[Recipient, ...] = (), erasure: Erasure = Erasure.DELETED
) -> dict[str, ColumnFacts]:
    """Facts of an identifier that leads to a person or an organisation only through another table."""
    return _info(Category.PSEUDONYM, purpose, retention, to=to, access=Disclosure.INCLUDED, erasure=erasure)


def told(purpose: str, retention: Retention, to: tuple[Recipient, ...] = ()) -> dict[str, ColumnFacts]:
    """Facts of a column that holds what a person told whoever runs Pigi, or was told."""
    return _info(Category.CONTENT, purpose, retention, to=to, subject=Subject.MEMBER, access=Disclosure.INCLUDED)


def secret(purpose: str, retention: Retention) -> dict[str, ColumnFacts]:
    """Facts of key material and hashes of keys: never shown to anyone."""
    return _info(Category.SECRET, purpose, retention)


def lawful(purpose: str, retention: Retention) -> dict[str, ColumnFacts]:
    """Facts of a column that the law makes Pigi keep, also when the organisation goes."""
    return _info(Category.PSEUDONYM, purpose, retention, erasure=Erasure.KEPT)


def _info(  # noqa: PLR0913 - a column's facts, each named at the call
    category: Category,
    purpose: str,
    retention: Retention,
    *,
    subject: Subject = Subject.ORGANISATION,
    access: Disclosure = Disclosure.WITHHELD,
    export: Disclosure = Disclosure.WITHHELD,
    erasure: Erasure = Erasure.DELETED,
    role: Role = Role.CONTROLLER,
    to: tuple[Recipient, ...] = (),
) -> dict[str, ColumnFacts]:
    """What goes into a column's ``info``: withheld unless said otherwise, and deleted with its organisation.

    The legal basis is that of the class: why a row may be kept, each of its columns may.
    """
    basis = PERIODS[retention].basis
    facts = ColumnFacts(category, subject, purpose, basis, retention, access, export, erasure, role, to)
    return {"facts": facts}
