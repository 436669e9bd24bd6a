"""Bodies of the jobs that rotate keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import ROTATE_DATA_KEY, ROTATE_DUE_KEYS, ROTATE_KEYRING
from pigi.operations import keys

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(ROTATE_KEYRING)
def rotate_keyring(context: JobContext, worker_context: WorkerContext) -> None:
    """Put everything under the keyring's first key."""
    keys.rotate_keyring(context, worker_context.application)


@job(ROTATE_DUE_KEYS)
def rotate_due(context: JobContext, worker_context: WorkerContext) -> None:
    """Begin the renewal of data keys that are due, and go on with what was begun."""
    keys.rotate_due(context, worker_context.application)


@job(ROTATE_DATA_KEY)
def rotate_data_key(context: JobContext, worker_context: WorkerContext) -> None:
    """Seal everything of an organisation with its newest data key."""
    keys.rotate_data_key(context, worker_context.application)
