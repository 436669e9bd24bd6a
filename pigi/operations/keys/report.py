"""The report of keys: what is under which, how old each is, and what is due (promise P20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.keys import DATA_KEY_AGE, PROVIDER_KEY_AGE, ROTATION_TIME, WARNED_BEFORE
from pigi.jobs.execution.isolation import Isolation
from pigi.operations.access import ORGANISATION
from pigi.operations.keys.data_keys import KEY, values_left
from pigi.operations.keys.keyring import rows_by_key, signatures_left
from pigi.operations.keys.providers import provider_rows
from pigi.store.people import ApiKey

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application

API_KEY: Any = ApiKey.__table__
LOOKED_AFTER = frozenset({"due", "refused"})
"""The states of a provider's key that somebody must look after."""
SHOWN = 50
"""Of how many rotations at most the values that are left are counted: each is in a database of its own."""


@dataclass(frozen=True)
class KeyringLine:
    """A key of the keyring, or one that rows are under though it is missing: ``rows`` by what they are."""

    name: str
    place: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """How many rows are under it."""
        return sum(self.rows.values())


@dataclass(frozen=True)
class DataKeyLine:
    """A rotation of an organisation's data key; ``left`` values are on an old one, None if they were not counted."""

    organisation_id: str
    begun_at: datetime
    emptied_at: datetime | None
    left: int | None


@dataclass(frozen=True)
class ProviderKeyLine:
    """A provider's key; ``state`` is ok, due_soon, due or refused."""

    setting: str
    id: str
    first_seen_at: datetime
    refused_at: datetime | None
    state: str


@dataclass(frozen=True)
class KeysReport:
    """All keys.

    Attributes:
        keyring: a line a key.
        signatures: how many signatures only an older key of the keyring answers for.
        organisations: how many have a data key, without those that are being deleted.
        oldest: when the oldest data key in use was made.
        due: how many data keys are to be renewed, by their age.
        late: how many are long after that, or in a rotation that hangs.
        rotations: those under way.
        providers: keys for providers.
        api_keys: how many API keys are live, how many of them end soon, and when the oldest was made.
    """

    keyring: tuple[KeyringLine, ...]
    signatures: int
    organisations: int
    oldest: datetime | None
    due: int
    late: int
    rotations: tuple[DataKeyLine, ...]
    providers: tuple[ProviderKeyLine, ...]
    api_keys: int
    api_keys_ending: int
    oldest_api_key: datetime | None

    @property
    def old_rows(self) -> int:
        """Rows and signatures that an older key must stay for; at 0 it may be removed."""
        return sum(line.total for line in self.keyring if line.place != "first") + self.signatures

    @property
    def to_replace(self) -> int:
        """How many keys somebody should look after: late data keys, providers' keys that are due or were refused."""
        return self.late + sum(line.state in LOOKED_AFTER for line in self.providers)


def report_keys(application: Application, *, counted: bool = True) -> KeysReport:
    """The report as it stands now; ``counted`` False leaves uncounted what lies in organisations' databases."""
    moment = now()
    count, late = data_keys_late(application, moment)
    with application.control.autocommit() as connection:
        ages = _newest().subquery()
        due = func.count().filter(ages.c.at <= moment - DATA_KEY_AGE)
        oldest = connection.execute(select(func.min(ages.c.at).label("at"), due.label("due"))).one()
        rotations = _rotations(connection)
        live = API_KEY.c.revoked_at.is_(None) & (API_KEY.c.expires_at > moment)
        ending = func.count().filter(API_KEY.c.expires_at <= moment + WARNED_BEFORE)
        api_keys = connection.execute(select(func.count(), ending, func.min(API_KEY.c.created_at)).where(live)).one()
    return KeysReport(
        keyring=keyring_lines(application),
        signatures=signatures_left(application),
        organisations=count,
        oldest=oldest.at,
        due=oldest.due,
        late=late,
        rotations=_with_counts(application, rotations) if counted else tuple(rotations),
        providers=tuple(provider_key_lines(application, moment)),
        api_keys=api_keys[0],
        api_keys_ending=api_keys[1],
        oldest_api_key=api_keys[2],
    )


def keys_to_replace(application: Application) -> int:
    """`KeysReport.to_replace` alone, for an overview."""
    moment = now()
    _, late = data_keys_late(application, moment)
    return late + sum(line.state in LOOKED_AFTER for line in provider_key_lines(application, moment))


def keyring_lines(application: Application) -> tuple[KeyringLine, ...]:
    """A line for each key of the keyring, and for each that is missing from it though rows are under it."""
    first, *others = application.keyring.names
    places = {first: "first", **dict.fromkeys(others, "older")}
    return tuple(
        KeyringLine(name, places.get(name, "missing"), dict(rows)) for name, rows in rows_by_key(application).items()
    )


def data_keys_late(application: Application, moment: datetime) -> tuple[int, int]:
    """How many organisations have a data key; and of how many it is long past its renewal, or that hangs.

    One that is being deleted is not counted: its key is not renewed but destroyed.
    """
    ages = _newest().subquery()
    late = func.count().filter(ages.c.at <= moment - DATA_KEY_AGE - ROTATION_TIME)
    hanging = func.count().filter((ages.c["count"] > 1) & (ages.c.at <= moment - ROTATION_TIME))
    with application.control.autocommit() as connection:
        row = connection.execute(select(func.count(), late, hanging).select_from(ages)).one()
    return row[0], row[1] + row[2]


def _newest() -> Any:
    """Each organisation with when its newest data key was made, how many it has, and since when the old are empty."""
    columns = (
        KEY.c.organisation_id,
        func.max(KEY.c.created_at).label("at"),
        func.max(KEY.c.emptied_at).label("emptied_at"),
        func.count().label("count"),
    )
    active = (ORGANISATION.c.id == KEY.c.organisation_id) & (ORGANISATION.c.state == OrganisationState.ACTIVE.value)
    return select(*columns).join(ORGANISATION, active).group_by(KEY.c.organisation_id)


def provider_key_lines(application: Application, moment: datetime) -> list[ProviderKeyLine]:
    """A line for each key of a provider that is in use."""
    return [
        ProviderKeyLine(row.setting, row.fingerprint[:8], row.first_seen_at, row.refused_at, _state(row, moment))
        for row in provider_rows(application, moment)
    ]


def _state(row: Any, moment: datetime) -> str:
    if row.refused_at is not None:
        return "refused"
    age = moment - row.first_seen_at
    return "due" if age > PROVIDER_KEY_AGE else "due_soon" if age > PROVIDER_KEY_AGE - WARNED_BEFORE else "ok"


def _rotations(connection: Connection) -> list[DataKeyLine]:
    query = (
        select(KEY.c.organisation_id, func.max(KEY.c.created_at), func.max(KEY.c.emptied_at))
        .group_by(KEY.c.organisation_id)
        .having(func.count() > 1)
        .order_by(func.max(KEY.c.created_at))
    )
    return [DataKeyLine(row[0], row[1], row[2], None) for row in connection.execute(query)]


def _with_counts(application: Application, rotations: list[DataKeyLine]) -> tuple[DataKeyLine, ...]:
    counts: dict[str, int] = {}
    isolation = Isolation("report of keys")
    for line in rotations[:SHOWN]:
        with isolation.of(line.organisation_id):
            counts[line.organisation_id] = values_left(application, line.organisation_id)
    return tuple(
        DataKeyLine(one.organisation_id, one.begun_at, one.emptied_at, counts.get(one.organisation_id))
        for one in rotations
    )
