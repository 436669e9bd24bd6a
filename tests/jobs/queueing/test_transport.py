"""The contract with kombu: the private parts of its Redis transport that Pigi builds upon are as it takes them to be.

A release of kombu that moves one of them fails here, not in a worker that stands still.
"""

from __future__ import annotations

import inspect
import json
from contextlib import suppress

import pytest
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES, redis, virtual

from pigi.ids import new_id
from pigi.jobs.kinds import PROBES
from pigi.jobs.queueing.notifications import PREFIX, encode
from pigi.jobs.queueing.partitions import Notification
from pigi.jobs.queueing.transport import Channel, Transport, install

QUEUE = "mail"
OPTIONS = {"ack_emulation": False, "global_keyprefix": PREFIX, "priority_steps": [0]}


@pytest.fixture
def channel(redis_server):
    """A channel as a worker's, consuming one queue; what it delivers is in ``channel.delivered``."""
    install()
    redis_server.reset()
    # As celeryconfig.py spells it.
    url = redis_server.url.replace("unix://", "redis+socket://", 1)
    with Connection(url, transport_options=OPTIONS) as connection:
        found = connection.channel()
        found.queue_declare(QUEUE)
        found.delivered = []
        found.basic_consume(QUEUE, True, found.delivered.append, "tag")
        yield found
    redis_server.reset()


def read(channel, redis_server, *messages):
    """Have the transport read what Redis holds, as a consumer without an event loop does."""
    redis_server.client.lpush(PREFIX + QUEUE, *messages)
    # Rubbish ends no wait: the reading goes on until its time is over.
    with suppress(TimeoutError):
        channel.connection.client.drain_events(timeout=1)
    assert redis_server.client.llen(PREFIX + QUEUE) == 0


def parameters(function):
    return [(found.name, found.kind.name) for found in inspect.signature(function).parameters.values()]


def test_the_methods_that_are_overridden_take_what_they_are_given():
    assert parameters(redis.Channel._brpop_read) == [("self", "POSITIONAL_OR_KEYWORD"), ("options", "VAR_KEYWORD")]
    assert [name for name, _ in parameters(redis.Transport._deliver)] == ["self", "message", "queue"]
    assert [name for name, _ in parameters(Transport._deliver)] == ["self", "message", "queue"]
    assert redis.Transport.Channel is redis.Channel


def test_every_address_of_redis_leads_to_pigis_transport():
    assert {"redis", "rediss"} <= TRANSPORT_ALIASES.keys()
    install()
    for url in ("redis://127.0.0.1:6379/0", "rediss://127.0.0.1:6379/0", "redis+socket:///nowhere/redis.sock"):
        assert isinstance(Connection(url).transport, Transport), url


def test_the_read_that_the_event_loop_calls_is_pigis(channel):
    assert isinstance(channel, Channel)
    assert channel.handlers["BRPOP"] == channel._brpop_read
    assert channel._brpop_read.__func__ is Channel._brpop_read


def test_a_notification_is_delivered_made_anew_and_leaves_nothing_behind(channel, redis_server):
    notification = Notification(QUEUE, PROBES[QUEUE].name, new_id())
    message = json.loads(encode(notification))
    message["headers"]["timelimit"] = [1, 1]
    read(channel, redis_server, json.dumps(message))
    (delivered,) = channel.delivered
    assert delivered.headers["id"] == notification.job_id
    assert delivered.headers["task"] == notification.kind
    assert "timelimit" not in delivered.headers
    assert delivered.payload[0] == [notification.job_id]


def test_without_ack_emulation_no_list_of_unacknowledged_messages_comes_into_being(channel, redis_server):
    assert channel.ack_emulation is False
    assert channel.QoS is virtual.QoS
    read(channel, redis_server, encode(Notification(QUEUE, PROBES[QUEUE].name, new_id())))
    assert len(channel.delivered) == 1
    assert [key for key in redis_server.client.scan_iter() if b"unacked" in key] == []


@pytest.mark.parametrize("rubbish", ["not JSON", "[" * 100_000, b"\xff\xfe"])
def test_what_cannot_be_decoded_is_dropped_and_the_next_is_delivered(channel, redis_server, rubbish):
    read(channel, redis_server, rubbish)
    assert channel.delivered == []
    read(channel, redis_server, encode(Notification(QUEUE, PROBES[QUEUE].name, new_id())))
    assert len(channel.delivered) == 1


@pytest.mark.parametrize("rubbish", ["{}", "[]", '"text"', '{"headers": {"task": "no.kind", "id": "x"}}'])
def test_what_is_no_notification_is_dropped(channel, redis_server, rubbish):
    read(channel, redis_server, rubbish)
    assert channel.delivered == []
