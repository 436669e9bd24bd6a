"""The application as commands use it: opened on a database that is migrated, and closed after the block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pigi.application import Application
from pigi.errors import Misconfigured
from pigi.settings import Settings
from pigi.store.egress import guard_egress
from pigi.store.migrate import control_head, control_revision

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_application() -> Iterator[Application]:
    """The application, closed after the block; raises Misconfigured, also for a database of an older version."""
    settings = Settings.from_environment()
    guard_egress(settings)
    found = control_revision(settings.database_url)
    if found < control_head():  # a newer one still serves this version for one release
        have = f"is at revision {found}" if found else "has not been made"
        raise Misconfigured([f"the control database {have}, this version needs {control_head()}; run `pigi migrate`"])
    application = Application.open(settings)
    try:
        yield application
    finally:
        application.dispose()
