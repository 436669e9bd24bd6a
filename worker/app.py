"""The worker's entry point: ``celery -A worker.app worker``. Imports every tasks module, in plain Python.

Not through Celery's ``imports`` setting: beat would load them too, with all they need.
"""

from __future__ import annotations

import tasks.accounts
import tasks.api_keys
import tasks.backups
import tasks.billing
import tasks.exports
import tasks.generations
import tasks.imports
import tasks.keys
import tasks.mail
import tasks.maintenance
import tasks.organisations
import tasks.policy
import tasks.promises  # noqa: F401 - importing registers
import worker.lifecycle  # noqa: F401 - importing connects the signals
from pigi.jobs.queueing.celery_app import app

__all__ = ["app"]
