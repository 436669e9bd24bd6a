"""kombu's Redis transport, hardened: rubbish in a queue is dropped instead of ending the worker.

kombu decodes a message inside its event loop; one that is not JSON raises there, and Celery takes that for
an unrecoverable error. Nothing is lost with it, since a message is only a bell.
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu.transport import redis

logger = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Reads bells and survives what is none."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # Its text may hold anything, so only the kind of error is logged.
            logger.warning("rubbish in a queue dropped (%s)", type(error).__name__)
            raise Empty from None


class Transport(redis.Transport):
    """The transport that celeryconfig names."""

    Channel = Channel
