"""Celery's signals: what happens before the fork, after it, and when the worker is told to stop."""

from __future__ import annotations

import ctypes
import gc
import logging
import multiprocessing
import os
import sys
import time
from typing import Any

from celery import signals

from pigi.application import Application
from pigi.domain.resources.secrets import warm
from pigi.jobs.execution.context import WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import set_worker_context
from pigi.logs import configure_logging
from pigi.operations.keys import KeyRegister
from pigi.settings import get_settings
from pigi.store.egress import guard_egress
from pigi.store.log_entries import open_logbook
from pigi.store.sessions import ControlDatabase
from worker.wiring import Wiring

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
"""A stopping worker lets short jobs end; after so long the rest is handed back at its next checkpoint."""
OVERDUE_SECONDS = 7.0
"""After so long a job that reached no checkpoint is handed back all the same; its lease is then lost."""

CHAIN_SECONDS = 0.1
"""Short enough that other kinds of the pool hardly wait, long enough to save most trips through Redis."""

_draining_since: Any = multiprocessing.Value(ctypes.c_double, 0.0, lock=False)


def stopping_for() -> float:
    """Seconds since the worker was told to stop, 0 if it was not. The main process writes, its children read."""
    since = float(_draining_since.value)
    return time.time() - since if since > 0 else 0.0


def draining() -> bool:
    """Whether the job at hand shall be handed back at its next checkpoint."""
    return stopping_for() > GRACE_SECONDS


def overdue() -> bool:
    """Whether the job at hand shall be handed back without waiting for a checkpoint."""
    return stopping_for() > OVERDUE_SECONDS


@signals.setup_logging.connect
def set_up_logging(**_details: Any) -> None:
    """Replace Celery's logging: structured lines, no arguments. From here on egress is guarded, also in children."""
    configure_logging()
    open_logbook(get_settings().database_url, "worker")
    guard_egress(get_settings())


@signals.worker_init.connect
def load_before_fork(**_details: Any) -> None:
    """Load what is slow to load once in the parent of the pools that use them; the children share their memory."""
    if any(pool in os.environ.get("PIGI_POOL", "ai") for pool in ("ai", "slow")):
        # Drafts and imports are searched for secrets.
        warm()
    if "ai" in os.environ.get("PIGI_POOL", "ai"):
        import pigi.gateways.anthropic_model  # noqa: PLC0415 - only here is it worth a second
    if "quick" in os.environ.get("PIGI_POOL", "quick") and get_settings().stripe_api_key:
        import pigi.gateways.stripe_billing  # noqa: F401, PLC0415 - only here is it worth half a second
    gc.collect()
    gc.freeze()


@signals.worker_process_init.connect
def open_child(**_details: Any) -> None:
    """Open everything anew: sockets and threads do not survive a fork."""
    application = Application.open()
    relaxed = ControlDatabase(application.settings.database_url, relaxed=True)
    heartbeat = LeaseHeartbeat(application.control, overdue, application.notifier)
    gateways = Wiring(application.settings, KeyRegister(application))
    set_worker_context(WorkerContext(application, gateways, heartbeat, draining, relaxed, CHAIN_SECONDS))


@signals.worker_shutting_down.connect
def start_draining(**_details: Any) -> None:
    """Tell the children that their time is short."""
    _draining_since.value = time.time()


@signals.worker_ready.connect
def say_ready(sender: Any = None, **_details: Any) -> None:
    """One line that the supervisor and people can look for."""
    logger.info("worker ready: %s", getattr(sender, "hostname", "?"))
    sys.stderr.flush()
