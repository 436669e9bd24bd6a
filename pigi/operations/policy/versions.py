"""Versions of the policy: reading them, and which one counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.materiality import PolicyChange, compare_policies
from pigi.domain.policy import Policy, digest_of, read_flat_policy, write_policy
from pigi.errors import Refused
from pigi.operations.policy.facts import code_facts, own_policy, shipped_digest
from pigi.store.engines import insert_into
from pigi.store.policy import PolicyVersion

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application

VERSION: Any = PolicyVersion.__table__
FIRST = 1
PIGI = "pigi"


@dataclass(frozen=True)
class PolicyVersionView:
    """A version as it was published. ``reasons`` of its changes say why it is material, if it is."""

    number: int
    policy: Policy
    digest: str
    change: str
    changes: tuple[PolicyChange, ...]
    facts: dict[str, dict[str, str]]
    shipped: str
    published_at: datetime
    effective_at: datetime
    published_by: str
    announced_at: datetime | None

    @property
    def sound(self) -> bool:
        """Whether the text is the one that was published."""
        return digest_of(self.policy) == self.digest


@dataclass(frozen=True)
class PolicyHistory:
    """All versions, oldest first, at one moment."""

    versions: tuple[PolicyVersionView, ...]
    moment: datetime

    @property
    def newest(self) -> PolicyVersionView:
        """The one that was published last, in effect or not."""
        return self.versions[-1]

    @property
    def current(self) -> PolicyVersionView:
        """The one that counts now: the last that has taken effect."""
        return next(one for one in reversed(self.versions) if one.effective_at <= self.moment)

    @property
    def coming(self) -> tuple[PolicyVersionView, ...]:
        """Those that are published and take effect later, the soonest first."""
        return tuple(one for one in self.versions if one.effective_at > self.moment)

    def state_of(self, version: PolicyVersionView) -> str:
        """Whether it is past, current or coming."""
        if version.effective_at > self.moment:
            return "coming"
        return "current" if version.number == self.current.number else "past"

    def numbered(self, number: int) -> PolicyVersionView:
        """A version; raises Refused ``not_found``."""
        for one in self.versions:
            if one.number == number:
                return one
        raise Refused("not_found")


def policy_history(application: Application) -> PolicyHistory:
    """All versions. Where none was published yet, this release's text becomes the first."""
    with application.control.autocommit() as connection:
        found = read_versions(connection)
    if not found:
        publish_first(application)
        with application.control.autocommit() as connection:
            found = read_versions(connection)
    return PolicyHistory(found, now())


def unpublished_changes(application: Application) -> list[PolicyChange]:
    """What this release's text says otherwise than the policy, if nobody has published since it came; else nothing.

    Raises PolicyError if the text cannot be shown.
    """
    with application.control.autocommit() as connection:
        found = read_versions(connection)
    if not found or found[-1].shipped == shipped_digest():
        return []
    return compare_policies(found[-1].policy, own_policy(application.settings))


def read_versions(connection: Connection) -> tuple[PolicyVersionView, ...]:
    """All versions, oldest first."""
    return tuple(_view(row) for row in connection.execute(select(VERSION).order_by(VERSION.c.number)))


@lru_cache(maxsize=64)
def _read(text: str) -> Policy:
    # Facts that a later release no longer knows must not make an old version unreadable.
    return read_flat_policy(json.loads(text), checked=False)


def _view(row: Any) -> PolicyVersionView:
    return PolicyVersionView(
        row.number,
        _read(row.text),
        row.digest,
        row.change,
        tuple(PolicyChange(one["id"], one["kind"], tuple(one["reasons"])) for one in json.loads(row.changes)),
        json.loads(row.facts),
        row.shipped,
        row.published_at,
        row.effective_at,
        row.published_by,
        row.announced_at,
    )


def publish_first(application: Application) -> None:
    """Publish this release's text as version 1, unless there is one; processes may do so together.

    Raises PolicyError if the text cannot be shown.
    """
    policy, moment = own_policy(application.settings), now()
    with application.control.transaction() as connection:
        add_version(connection, policy, FIRST, "first", (), moment, moment, PIGI)


def add_version(  # noqa: PLR0913 - a version's facts
    connection: Connection,
    policy: Policy,
    number: int,
    change: str,
    changes: tuple[PolicyChange, ...],
    published_at: datetime,
    effective_at: datetime,
    by: str,
) -> None:
    """Add a version, unless there is one of that number."""
    values = {
        "number": number,
        "text": json.dumps(write_policy(policy), ensure_ascii=False),
        "digest": digest_of(policy),
        "change": change,
        "changes": json.dumps([vars(one) for one in changes], ensure_ascii=False),
        "facts": json.dumps(code_facts(), ensure_ascii=False),
        "shipped": shipped_digest(),
        "published_at": published_at,
        "effective_at": effective_at,
        "published_by": by,
    }
    statement = insert_into(connection, VERSION).values(values)
    connection.execute(statement.on_conflict_do_nothing(index_elements=[VERSION.c.number]))
