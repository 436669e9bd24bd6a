"""Keys for providers: how long each is in use, known by a keyed hash and never by the key."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.store.engines import insert_into
from pigi.store.keys import ProviderKey

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.settings import Settings

logger = logging.getLogger(__name__)
PROVIDER_KEY: Any = ProviderKey.__table__
LABEL = "provider key"
FORGOTTEN = timedelta(days=30)
"""How long a key that is in no setting any more is remembered: one that is put back is as old as it was."""


def provider_keys(settings: Settings) -> list[tuple[str, str]]:
    """Every key for a provider, with the setting that holds it. For hashing alone; nothing else may see them."""
    found = {
        "ANTHROPIC_API_KEY": settings.anthropic_api_key,
        "STRIPE_API_KEY": settings.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
    }
    keys = [(setting, key) for setting, text in found.items() for key in re.split(r"[,\s]+", text) if key]
    password = unquote(urlsplit(settings.smtp_url).password or "") if settings.smtp_url else ""
    return [*keys, ("SMTP_URL", password)] if password else keys


def note_provider_keys(application: Application) -> None:
    """Note which keys are in use, since when, and forget those that have not been for long."""
    moment = now()
    with application.control.transaction() as connection:
        for setting, key in provider_keys(application.settings):
            _note(connection, application, setting, key, {"last_seen_at": moment})
        connection.execute(delete(PROVIDER_KEY).where(PROVIDER_KEY.c.last_seen_at < moment - FORGOTTEN))


def note_refused(application: Application, setting: str, key: str) -> None:
    """Note that a provider refused a key, and say so in the log: somebody should replace it."""
    logger.error("a key of %s was refused by its provider; replace it, and see `pigi keys report`", setting)
    moment = now()
    with application.control.transaction() as connection:
        _note(connection, application, setting, key, {"last_seen_at": moment, "refused_at": moment})


def _note(
    connection: Connection, application: Application, setting: str, key: str, values: dict[str, datetime]
) -> None:
    """Keep the row of a key. One that was hashed under an older key of the keyring gets its new hash."""
    first, *older = application.keyring.digests(LABEL, f"{setting}\0{key}".encode())
    known = connection.execute(select(PROVIDER_KEY.c.fingerprint).where(PROVIDER_KEY.c.fingerprint == first)).scalar()
    if known is None:
        moved = update(PROVIDER_KEY).where(PROVIDER_KEY.c.fingerprint.in_(older)).values(fingerprint=first)
        connection.execute(moved)
    row = {"fingerprint": first, "setting": setting, "first_seen_at": values["last_seen_at"], **values}
    made = insert_into(connection, PROVIDER_KEY).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=[PROVIDER_KEY.c.fingerprint], set_=values))
