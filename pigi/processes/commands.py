"""The commands of Pigi's own processes. `pigi web` becomes one of these, and so does a row of the process table.

The entry points are named and never imported: what is started here stands above this package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pigi.jobs.queues import POOLS, queues_of

if TYPE_CHECKING:
    from pigi.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CELERY = (sys.executable, "-m", "celery", "--quiet")
WEB_KILL_SECONDS = 2
"""Event streams never end by themselves; they are cut after so long, and browsers come back."""
STANDIN_SECRET = "STANDIN_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
"""The variable from which the payment provider's stand-in takes its secret."""


def environment() -> dict[str, str]:
    """What every one of them needs: the application's folder to import from, and unbuffered logs."""
    return {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def web(settings: Settings) -> tuple[str, ...]:
    """The web server."""
    address = ("--host", settings.host, "--port", str(settings.port), "--stop-seconds", str(WEB_KILL_SECONDS))
    return (sys.executable, "-m", "web.server", "web.wsgi:app", *address)


def worker(pool: str) -> tuple[str, ...]:
    """The worker process of a pool; raises KeyError for an unknown pool."""
    children = str(POOLS[pool].children)
    queues = ",".join(queues_of(pool))
    options = ("-Q", queues, "-c", children, "-n", f"{pool}@%h", "-O", "fair")
    silent = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return (*CELERY, "-A", "worker.app", "worker", *options, *silent)


def worker_environment(pool: str) -> dict[str, str]:
    """Tells the worker its pool. SIGTERM stays Celery's warm shutdown, which worker/lifecycle.py bounds."""
    return {**environment(), "PIGI_POOL": pool}


def beat() -> tuple[str, ...]:
    """The pump and the schedules."""
    return (*CELERY, "-A", "schedules.app", "beat")


def anthropic_stand_in(port: int) -> tuple[str, ...]:
    """The stand-in for the model provider."""
    return (sys.executable, "-m", "standins.anthropic", "--port", str(port))


def stripe_stand_in(port: int, webhook: str, state: Path) -> tuple[str, ...]:
    """The stand-in for the payment provider, which tells ``webhook`` of events and keeps what it knows in ``state``.

    The secret that signs them is `STANDIN_SECRET` of its environment.
    """
    places = ("--webhook", webhook, "--public", f"http://127.0.0.1:{port}", "--state", str(state))
    return (sys.executable, "-m", "standins.stripe", "--port", str(port), *places)


def mail_stand_in(port: int, pages: int) -> tuple[str, ...]:
    """The sink for mail, with its outbox's page."""
    return (sys.executable, "-m", "standins.mail", "--port", str(port), "--pages", str(pages))


def pigi(*words: str) -> tuple[str, ...]:
    """A command of this program."""
    return (sys.executable, "-m", "pigi", *words)
