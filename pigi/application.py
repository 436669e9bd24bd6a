"""The application: settings, databases, keyring and notifier of one process, opened together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pigi.domain.plans import Plans
from pigi.jobs.queueing.notifications import Notifier
from pigi.settings import Settings, get_settings
from pigi.store.keyring import Keyring
from pigi.store.objects import Objects
from pigi.store.refusals import Refusals
from pigi.store.sessions import ControlDatabase
from pigi.store.tenants import Tenants


@dataclass(frozen=True)
class Application:
    """Open one a process, after any fork."""

    settings: Settings
    control: ControlDatabase
    keyring: Keyring
    tenants: Tenants
    notifier: Notifier

    @classmethod
    def open(cls, settings: Settings | None = None) -> Application:
        """Open everything; connections are made when first used. Raises Misconfigured."""
        settings = settings or get_settings()
        control = ControlDatabase(settings.database_url)
        keyring = Keyring.from_settings(settings)
        opened = cls(settings, control, keyring, Tenants(settings, control, keyring), Notifier(settings.redis_url))
        _ = opened.plans  # a plan that cannot be read stops the start
        return opened

    @cached_property
    def plans(self) -> Plans:
        """What organisations may use, and what can be bought."""
        return Plans.from_settings(self.settings)

    @cached_property
    def refusals(self) -> Refusals:
        """What this process has found throttled a moment ago."""
        return Refusals()

    @cached_property
    def files(self) -> Objects:
        """Where exports and uploads lie."""
        return Objects(self.settings.files_url)

    def dispose(self, *, close: bool = True) -> None:
        """Forget all connections; ``close=False`` after a fork, since the parent still uses them."""
        self.control.dispose(close=close)
        self.tenants.dispose(close=close)
        self.notifier.close()
