"""Notifications: Redis lists that Celery's workers read. Losing or doubling a message harms nothing.

The message is written by hand to Celery's message protocol, version 2
(https://docs.celeryq.dev/en/stable/internals/protocol.html), and holds the kind's name, the job's id and
what the protocol demands, nothing else: no arguments' repr, no host names. One LPUSH on a kept client costs
a quarter of ``send_task``. Notifying is best effort and bounded; the pump repeats whatever was missed.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pigi.errors import Temporary
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from pigi.jobs.queueing.partitions import Notification

PREFIX = "pigi:"
SECONDS = 0.1
"""Longest wait for connecting and for an answer; together the 200 ms that a request may lose."""
SILENCE_SECONDS = 1.0
"""After a failure notifying is not tried for so long, so that a dead Redis costs one request, not all."""

WAKE_SECONDS = 0.02
"""How often a chain of short jobs notifies of what it let in, to wake children that have nothing to do."""

PIECE = 1000
"""Messages that are read from a queue at a time."""

_BODY_TAIL = [{}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def encode(notification: Notification) -> str:
    """The message as kombu's Redis transport stores it: base64 of JSON inside JSON."""
    return json.dumps(message_of(notification))


def message_of(notification: Notification) -> dict[str, Any]:
    """The message before its encoding."""
    body = base64.b64encode(json.dumps([[notification.job_id], *_BODY_TAIL]).encode()).decode()
    headers = {
        "lang": "py",
        "task": notification.kind,
        "id": notification.job_id,
        "root_id": notification.job_id,
        "parent_id": None,
    }
    properties = {
        "correlation_id": notification.job_id,
        "delivery_mode": 1,
        "delivery_info": {"exchange": "", "routing_key": notification.queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": notification.job_id,
    }
    return {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }


def job_in(message: bytes) -> str | None:
    """The job that a message is about; None for rubbish."""
    try:
        return str(json.loads(message)["headers"]["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


class Notifier:
    """Notifies workers of jobs. Safe to share between threads; build anew after a fork."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        self._redis: Any = redis.Redis.from_url(
            url,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
            max_connections=64,
        )
        self._silent_until = 0.0

    def notify(self, notifications: Iterable[Notification]) -> bool:
        """Send each; False if Redis did not take them all. Never raises, never waits over 200 ms."""
        by_queue: dict[str, list[str]] = {}
        for notification in notifications:
            by_queue.setdefault(notification.queue, []).append(encode(notification))
        if not by_queue:
            return True
        if time.monotonic() < self._silent_until:
            return False
        try:
            for queue, messages in by_queue.items():
                self._redis.lpush(PREFIX + queue, *messages)
        except (redis.RedisError, OSError):
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            return False
        return True

    def queued(self, queue: str, most: int = 5000) -> set[str] | None:
        """The jobs that messages in the queue are about; None when there are over ``most`` or Redis is away."""
        try:
            if self._redis.llen(PREFIX + queue) > most:
                return None
            messages = self._redis.lrange(PREFIX + queue, 0, most)
        except (redis.RedisError, OSError):
            return None
        return {job_id for message in messages if (job_id := job_in(message))}

    def count_messages(self, jobs: Collection[str]) -> int:
        """How many messages are about one of these jobs; raises Temporary ``broker_away``."""
        return sum(1 for _message in self._messages_of(jobs))

    def remove_messages(self, jobs: Collection[str]) -> None:
        """Remove the messages that are about one of these jobs; raises Temporary ``broker_away``."""
        for queue, message in self._messages_of(jobs):
            self._asked("lrem", PREFIX + queue, 0, message)

    def _messages_of(self, jobs: Collection[str]) -> list[tuple[str, bytes]]:
        """From the end that workers take from, a piece at a time: a message that moves on is met again, not missed."""
        found: dict[tuple[str, bytes], None] = {}
        for queue in QUEUES if jobs else ():
            length = self._asked("llen", PREFIX + queue)
            for end in range(0, length, PIECE):
                piece = self._asked("lrange", PREFIX + queue, -end - PIECE, -end - 1)
                found.update(dict.fromkeys((queue, message) for message in piece if job_in(message) in jobs))
        return list(found)

    def _asked(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._redis, command)(*arguments)
        except (redis.RedisError, OSError):
            raise Temporary("broker_away") from None

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._redis.ping())
        except (redis.RedisError, OSError):
            return False

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()


class NotificationBuffer:
    """Notifications of a chain of short jobs: one now and then to wake an idle child, the rest only if still needed.

    Most jobs that a chain lets into their partitions are taken by chains before a message could be read; one for
    each would fill the queue with messages that mean nothing, before one of another kind.
    """

    def __init__(self, notifier: Notifier, still_waiting: Callable[[Collection[str]], set[str]]) -> None:
        """``still_waiting`` says which of some jobs are published and not claimed yet."""
        self._notifier = notifier
        self._still_waiting = still_waiting
        self._pending: dict[str, Notification] = {}
        self._notified_at = time.monotonic()

    def add(self, notifications: Iterable[Notification], taken: str) -> None:
        """Take notifications to send, while the chain goes on with the job ``taken``."""
        self._pending.update((notification.job_id, notification) for notification in notifications)
        self._pending.pop(taken, None)
        if self._pending and time.monotonic() - self._notified_at > WAKE_SECONDS:
            self._notified_at = time.monotonic()
            self._notifier.notify([self._pending.popitem()[1]])

    def close(self, notifications: Iterable[Notification]) -> None:
        """Send what is still needed at the end of the chain; ``notifications`` come from its last job."""
        last = list(notifications)
        if self._pending:
            waiting = self._still_waiting(self._pending.keys())
            last += [notification for notification in self._pending.values() if notification.job_id in waiting]
            self._pending.clear()
        self._notifier.notify(last)
