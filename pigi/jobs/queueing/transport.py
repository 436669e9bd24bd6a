"""kombu's Redis transport, hardened: rubbish in a queue is dropped instead of ending the worker.

kombu decodes a message inside its event loop; one that is not JSON raises there, and Celery takes that for
an unrecoverable error. It also believes what a message says of time limits, compression and much else. So a
message is read for two facts only, the kind and the job's id, and what Celery gets is made anew from them.
Nothing is lost with a dropped one, since a message only notifies of a row.
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from pigi.ids import is_id
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.queueing.notifications import message_of
from pigi.jobs.queueing.partitions import Notification

logger = logging.getLogger(__name__)


def notification_in(message: object, queue: str) -> Notification | None:
    """What a decoded message notifies of; None for rubbish and for kinds of another release."""
    headers = message.get("headers") if isinstance(message, dict) else None
    if not isinstance(headers, dict):
        return None
    kind, job_id = headers.get("task"), headers.get("id")
    if not isinstance(kind, str) or kind not in CATALOGUE or not isinstance(job_id, str) or not is_id(job_id):
        return None
    return Notification(queue, kind, job_id)


class Channel(redis.Channel):
    """Reads notifications and survives what is none."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # Its text may hold anything, so only the kind of error is logged.
            logger.warning("rubbish in a queue dropped (%s)", type(error).__name__)
            raise Empty from None


class Transport(redis.Transport):
    """The transport that `install` puts in the place of kombu's."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        notification = notification_in(message, queue)
        if notification is None:
            logger.warning("rubbish in a queue dropped (no notification)")
            return
        super()._deliver(message_of(notification), queue)  # type: ignore[no-untyped-call]


def address_for_kombu(url: str) -> str:
    """REDIS_URL as kombu reads it.

    It spells a unix socket its own way. And where rediss:// says nothing of certificates, kombu takes any, also one of
    somebody between (P18); redis-py, which the rest of Pigi uses, does not.
    """
    if url.startswith("unix://"):
        return url.replace("unix://", "redis+socket://", 1)
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"


def install() -> None:
    """Use it for every Redis URL: kombu ignores ``broker_transport`` for a unix socket's."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
