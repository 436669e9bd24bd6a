"""The doorbell: after the commit, bounded, and with nothing in the message but a kind and an id."""

from __future__ import annotations

import base64
import json
import socket
import time

from kombu import Exchange, Queue
from sqlalchemy import event

from pigi.ids import new_id
from pigi.jobs.kinds import GENERATE_DRAFT, PROBES
from pigi.jobs.queueing.celery_app import app as celery
from pigi.jobs.queueing.enqueue import enqueue
from pigi.jobs.queueing.notifications import PREFIX, Notifier, encode, job_in
from pigi.jobs.queueing.partitions import Notification
from pigi.store.sessions import ControlSession
from tests.support.jobs import MARKER, ask, register_organisation, row_of, with_notifier

PROBE = PROBES["mail"]
GENEROUS_SECONDS = 5.0
"""Far over the 0.2 s that the bell allows itself, and far under any wait that hangs."""


def message_of(notification):
    message = json.loads(encode(notification))
    return message, json.loads(base64.b64decode(message.pop("body")))


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_a_message_holds_what_the_protocol_demands_and_nothing_else():
    message, body = message_of(Notification("mail", "mail.probe", "the-id"))
    assert body == [["the-id"], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    assert message["headers"].keys() == {"lang", "task", "id", "root_id", "parent_id"}
    assert message["properties"].keys() == {
        "correlation_id", "delivery_mode", "delivery_info", "priority", "body_encoding", "delivery_tag",
    }  # fmt: skip
    assert message.keys() == {"content-encoding", "content-type", "headers", "properties"}


def test_every_value_of_a_message_is_the_kind_the_id_the_queue_or_a_constant():
    message, body = message_of(Notification("mail", "mail.probe", "the-id"))
    constants = {None, "py", "utf-8", "application/json", "base64", "", 0, 1}
    assert set(leaves(message)) | set(leaves(body)) == constants | {"the-id", "mail.probe", "mail"}


def test_celery_reads_the_message_as_a_task_with_the_id_as_its_one_argument(with_redis, redis_server):
    job = new_id()
    with_redis.notifier.notify([Notification("mail", PROBE.name, job)])
    options = {**celery.conf.broker_transport_options, "socket_timeout": 5}
    url = redis_server.url.replace("unix://", "redis+socket://", 1)
    with celery.connection_for_read(url, transport_options=options) as connection, connection.channel() as channel:
        message = Queue("mail", Exchange("")).bind(channel).get()
        assert message.payload[0] == [job]
        assert (message.headers["task"], message.headers["id"]) == (PROBE.name, job)
        assert message.content_type == "application/json"


def test_a_job_in_a_message_is_found_and_rubbish_is_none():
    assert job_in(encode(Notification("mail", "mail.probe", "the-id")).encode()) == "the-id"
    for rubbish in (b"", b"{}", b"[]", b"null", b"\xff", b'{"headers": 1}'):
        assert job_in(rubbish) is None


def test_the_bell_rings_after_the_commit_and_not_before(with_redis, control):
    heard = []
    event.listen(control.engine, "commit", lambda _connection: heard.append(with_redis.notifier.queued("mail")))
    job = ask(control, PROBE, notifier=with_redis.notifier)
    assert heard == [set()]
    assert with_redis.notifier.queued("mail") == {job}


def test_what_is_rolled_back_rings_nothing_even_if_its_session_goes_on(with_redis, control):
    with ControlSession(control.engine) as session:
        enqueue(session, with_redis.notifier, PROBE, organisation_id=None, requested_by="test")
        session.rollback()
        kept = enqueue(session, None, PROBE, organisation_id=None, requested_by="test")
        session.commit()
    assert with_redis.notifier.queued("mail") == set()
    assert row_of(control, kept.id).state == "queued"


def test_nothing_that_the_asker_wrote_reaches_redis(with_redis, redis_server, control):
    organisation = register_organisation(control)
    subject = new_id()
    with control.begin() as session:
        enqueue(
            session,
            with_redis.notifier,
            GENERATE_DRAFT,
            organisation_id=organisation,
            requested_by=MARKER,
            subject_id=subject,
        )
    message = json.loads(redis_server.client.lindex(PREFIX + "ai", 0))
    text = json.dumps(message) + base64.b64decode(message["body"]).decode()
    assert not [secret for secret in (MARKER, organisation, subject) if secret in text]


def ask_while(application, control):
    """Enqueue, and see that it takes no longer than it may and rings for nobody."""
    began = time.monotonic()
    job = ask(control, PROBE, notifier=application.notifier)
    assert time.monotonic() - began < GENEROUS_SECONDS
    assert row_of(control, job).state == "queued"


def test_redis_away_neither_fails_nor_delays_a_request(application, control):
    for _ in range(3):
        ask_while(application, control)
    assert not application.notifier.answers()
    assert application.notifier.queued("mail") is None


def test_redis_that_accepts_and_never_answers_neither_fails_nor_delays_a_request(application, control):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = with_notifier(application, f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        for _ in range(3):
            ask_while(silent, control)
        silent.notifier.close()


def test_redis_that_is_full_neither_fails_nor_delays_a_request(with_redis, redis_server, control):
    redis_server.client.config_set("maxmemory", "1mb")
    ask_while(with_redis, control)
    assert with_redis.notifier.notify([Notification("mail", PROBE.name, new_id())]) is False
    assert redis_server.client.llen(PREFIX + "mail") == 0


def test_after_a_failure_the_bell_is_silent_for_a_moment_and_then_rings_again(with_redis, redis_server):
    notification = Notification("mail", PROBE.name, new_id())
    redis_server.client.config_set("maxmemory", "1mb")
    assert not with_redis.notifier.notify([notification])
    redis_server.reset()
    assert not with_redis.notifier.notify([notification])
    with_redis.notifier._silent_until = 0.0
    assert with_redis.notifier.notify([notification])


def test_a_bell_for_nobody_asks_nothing_of_redis(application):
    assert application.notifier.notify([]) is True


def test_rubbish_in_a_queue_is_not_taken_for_a_bell(with_redis, redis_server):
    redis_server.client.lpush(PREFIX + "mail", "rubbish")
    assert with_redis.notifier.queued("mail") == set()


def test_a_queue_that_is_very_long_is_not_read(with_redis, redis_server):
    redis_server.client.lpush(PREFIX + "mail", *["x"] * 11)
    assert with_redis.notifier.queued("mail", most=10) is None


def test_a_bell_gives_up_within_its_seconds():
    notifier = Notifier("redis://127.0.0.1:1/0", seconds=0.1)
    assert notifier.notify([Notification("mail", PROBE.name, new_id())]) is False
