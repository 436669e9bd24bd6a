"""What the inventory says of a place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.domain.privacy import Category, Disclosure, Erasure, Recipient, Role, Subject
    from pigi.domain.retention import Basis, Retention


class Store(StrEnum):
    """Where a place is. The final search names what it looked at by these words."""

    CONTROL = "control"
    TENANT = "tenant"
    FILES = "files"
    REDIS = "redis"
    LOGS = "logs"
    HOME = "home"
    BACKUPS = "backups"
    MAIL = "mail"
    BROWSER = "browser"
    STRIPE = "stripe"
    ANTHROPIC = "anthropic"
    BUNNY = "bunny"
    DEVELOPMENT = "development"


STORES: dict[Store, str] = {
    Store.CONTROL: "the control database",
    Store.TENANT: "the organisation's own database",
    Store.FILES: "the files store",
    Store.REDIS: "Redis",
    Store.LOGS: "the processes' logs",
    Store.HOME: "Pigi's folder",
    Store.BACKUPS: "the store of backups",
    Store.MAIL: "mail",
    Store.BROWSER: "the person's browser",
    Store.STRIPE: "Stripe",
    Store.ANTHROPIC: "Anthropic",
    Store.BUNNY: "Bunny Fonts",
    Store.DEVELOPMENT: "stand-ins, in development",
}
"""Each store, as a sentence names it."""


@dataclass(frozen=True)
class Place:
    """One place of data.

    Attributes:
        name: permanent: ``control.account.email``, ``redis.queues``.
        holds: what is there, in words.
        access, export, erasure: what an access export, a configuration export and an erasure do with it.
        search: how the final search looks there.
        kept: how long, where that is not for Pigi to say or the class alone does not tell.
        names: by what it is known in the code: names of objects begin so, keys of Redis, entries of PIGI_HOME, modules
            of gateways. Tests compare them.
        handling: what is done for access, export and erasure, where that is more than a column's.
    """

    name: str
    store: Store
    holds: str
    subject: Subject
    category: Category
    role: Role
    purpose: str
    basis: Basis
    retention: Retention
    recipients: tuple[Recipient, ...]
    access: Disclosure
    export: Disclosure
    erasure: Erasure
    search: str
    kept: str = ""
    names: tuple[str, ...] = ()
    handling: str = ""
