"""Controls of keys: each is renewed in time, and nothing is under one that is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.controls import Control, Evidence, Finding
from pigi.operations.api_keys import LONGEST_DAYS
from pigi.operations.keys import data_keys_late, keyring_lines, note_provider_keys, provider_key_lines
from pigi.store.people import ApiKey

if TYPE_CHECKING:
    from pigi.application import Application

API_KEY: Any = ApiKey.__table__


def data_keys_renewed(application: Application) -> Finding:
    """Whether some data key is too old, or a rotation hangs."""
    count, late = data_keys_late(application, now())
    if late:
        return Finding(False, f"{late} of {count} data keys are long past their renewal, or their rotation hangs.")
    return Finding(True, f"All {count} data keys are within their year and what a rotation may take.")


def provider_keys_renewed(application: Application) -> Finding:
    """Whether some provider's key is in use for too long."""
    note_provider_keys(application)
    lines = provider_key_lines(application, now())
    due = [line.setting for line in lines if line.state == "due"]
    if due:
        return Finding(False, f"In use for more than a year: a key of {', '.join(due)}.")
    return Finding(True, f"All {len(lines)} keys for providers are in use for less than a year.")


def keys_are_there(application: Application) -> Finding:
    """Whether rows are under a key that the keyring has not."""
    lines = keyring_lines(application)
    missing = sum(line.total for line in lines if line.place == "missing")
    if missing:
        return Finding(False, f"{missing} rows are under a key that was removed.")
    return Finding(True, f"All {sum(line.total for line in lines)} rows are under keys that are there.")


def api_keys_end(application: Application) -> Finding:
    """Whether some API key that counts is to count for longer than one may be made for."""
    moment = now()
    counting = API_KEY.c.revoked_at.is_(None) & (API_KEY.c.expires_at > moment)
    endless = func.count().filter(API_KEY.c.expires_at > moment + timedelta(days=LONGEST_DAYS, hours=1))
    with application.control.autocommit() as connection:
        row = connection.execute(select(func.count(), endless).where(counting)).one()
    if row[1]:
        return Finding(False, f"{row[1]} of {row[0]} API keys count for longer than a year from now.")
    return Finding(True, f"All {row[0]} API keys that count end within a year.")


CONTROLS = (
    Control(
        "data-keys-renewed",
        "P20",
        Evidence.OBSERVED,
        data_keys_renewed,
        "Every organisation's data key is at most a year and two weeks old, and no renewal takes two weeks.",
        "Whether a key was copied before it was renewed.",
    ),
    Control(
        "api-keys-end",
        "P20",
        Evidence.OBSERVED,
        api_keys_end,
        "Every API key of an organisation that counts ends by itself within a year.",
        "Whether its holders replace it before that; they are warned by mail.",
    ),
    Control(
        "provider-keys-renewed",
        "P20",
        Evidence.OBSERVED,
        provider_keys_renewed,
        "No key for Anthropic, Stripe or the mail server is in use here for more than a year.",
        "How old a key was when it was first used here.",
    ),
    Control(
        "no-row-under-a-removed-key",
        "P20",
        Evidence.OBSERVED,
        keys_are_there,
        "Every wrapped data key and sealed value is under a key of the keyring.",
        "Whether a removed key was destroyed everywhere else.",
    ),
)
