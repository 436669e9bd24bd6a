"""Keys for providers: how long each is in use, known by a keyed hash and never by the key."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.stripe_events import read_secrets
from pigi.settings import WITHHELD, listed
from pigi.store.engines import insert_into
from pigi.store.keys import ProviderKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.settings import Settings

logger = logging.getLogger(__name__)
PROVIDER_KEY: Any = ProviderKey.__table__
LABEL = "provider key"
FORGOTTEN = timedelta(days=30)
"""How long a key that is in no setting any more is remembered: one that is put back is as old as it was."""
IN_USE = timedelta(days=2)
"""Keys are noted each night, and with each report; one that nobody noted for so long is in use no more."""


def provider_keys(settings: Settings) -> list[tuple[str, str]]:
    """Every key for a provider that this process has, with the setting that holds it.

    For hashing alone; nothing else may see them.
    """
    found = {
        "ANTHROPIC_API_KEY": listed(settings.anthropic_api_key),
        "STRIPE_API_KEY": listed(settings.stripe_api_key),
        "STRIPE_WEBHOOK_SECRET": read_secrets(settings.stripe_webhook_secret),
    }
    keys = [(setting, key) for setting, some in found.items() for key in some]
    password = unquote(urlsplit(settings.smtp_url).password or "") if settings.smtp_url else ""
    return [(setting, key) for setting, key in (*keys, ("SMTP_URL", password)) if key and not key.endswith(WITHHELD)]


def note_provider_keys(application: Application) -> None:
    """Note which keys are in use, since when, and forget those that have not been for long."""
    moment = now()
    with application.control.transaction() as connection:
        for setting, key in provider_keys(application.settings):
            _note(connection, application, setting, key, {"last_seen_at": moment})
        connection.execute(delete(PROVIDER_KEY).where(PROVIDER_KEY.c.last_seen_at < moment - FORGOTTEN))


class KeyRegister:
    """`pigi.ports.KeyNews` in the control database: the report shows which key was refused, and the log alarms."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def refused(self, setting: str, key: str) -> None:
        """Note that a provider refused a key, and say so in the log: somebody should replace it."""
        logger.error("a key of %s was refused by its provider; replace it, and see `pigi keys report`", setting)
        moment = now()
        self._keep(setting, key, {"last_seen_at": moment, "refused_at": moment})

    def accepted(self, setting: str, key: str) -> None:
        """Note that a provider takes a key, also one that it had refused."""
        self._keep(setting, key, {"last_seen_at": now(), "refused_at": None})

    def _keep(self, setting: str, key: str, values: dict[str, datetime | None]) -> None:
        """A call to a provider must not fail for what is merely noted."""
        try:
            with self._application.control.transaction() as connection:
                _note(connection, self._application, setting, key, values)
        except SQLAlchemyError:
            logger.warning("how a key of %s was taken could not be noted", setting)


def provider_rows(application: Application, moment: datetime) -> Sequence[Any]:
    """The rows of the keys that are in use, by setting, the oldest first.

    This process knows what its own settings hold. Of a setting that only others have, a key is in use if one of them
    noted it within `IN_USE`.
    """
    own = provider_keys(application.settings)
    digests = {one for setting, key in own for one in _digests(application, setting, key)}
    mine = PROVIDER_KEY.c.setting.not_in({setting for setting, _ in own}) | PROVIDER_KEY.c.fingerprint.in_(digests)
    query = select(PROVIDER_KEY).where(PROVIDER_KEY.c.last_seen_at > moment - IN_USE, mine)
    with application.control.autocommit() as connection:
        return connection.execute(query.order_by(PROVIDER_KEY.c.setting, PROVIDER_KEY.c.first_seen_at)).all()


def _digests(application: Application, setting: str, key: str) -> list[str]:
    return application.keyring.digests(LABEL, f"{setting}\0{key}".encode())


def _note(
    connection: Connection, application: Application, setting: str, key: str, values: Mapping[str, datetime | None]
) -> None:
    """Keep the row of a key. One that was hashed under an older key of the keyring gets its new hash."""
    first, *older = _digests(application, setting, key)
    known = connection.execute(select(PROVIDER_KEY.c.fingerprint).where(PROVIDER_KEY.c.fingerprint == first)).scalar()
    if known is None:
        moved = update(PROVIDER_KEY).where(PROVIDER_KEY.c.fingerprint.in_(older)).values(fingerprint=first)
        connection.execute(moved)
    row = {"fingerprint": first, "setting": setting, "first_seen_at": values["last_seen_at"], **values}
    made = insert_into(connection, PROVIDER_KEY).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=[PROVIDER_KEY.c.fingerprint], set_=values))
