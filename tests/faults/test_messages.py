"""Bells that lie: doubled messages and rubbish in every queue harm nothing, and rubbish is never logged."""

from __future__ import annotations

import base64
import json
import os
import signal
from typing import TYPE_CHECKING, Any

from pigi.jobs.kinds import GENERATE_DRAFT, PROBES
from pigi.jobs.queueing.enqueue import enqueue
from pigi.jobs.queueing.notifications import PREFIX, encode
from pigi.jobs.queueing.partitions import Notification
from pigi.jobs.queues import QUEUES
from tests.support.sinks import check_books
from tests.support.stack import until

if TYPE_CHECKING:
    import psutil

    from tests.support.stack import Stack

MARK = "RUBBISH-7c1e"
UNKNOWN = "01a20a09-c7a3-7d31-bd0f-2b23e1a09999"


def ring_five_times(stack: Stack, job: str) -> None:
    message = encode(Notification("ai", GENERATE_DRAFT.name, job))
    stack.redis().lpush(f"{PREFIX}ai", *[message] * 5)


def wait_until_heard(stack: Stack, queue: str = "ai") -> None:
    until(lambda: not stack.redis().llen(PREFIX + queue), 30, f"the queue {queue} is empty")


def test_a_message_delivered_five_times_before_during_and_after_the_job_makes_one_draft(stack: Stack) -> None:
    held = stack.model.hold("five times")
    main = stack.processes["worker-ai"]
    os.kill(main.pid, signal.SIGSTOP)
    job = stack.post("five times")
    ring_five_times(stack, job)
    os.kill(main.pid, signal.SIGCONT)
    held.wait()
    ring_five_times(stack, job)
    wait_until_heard(stack)
    held.release()
    views = stack.wait([job])
    ring_five_times(stack, job)
    wait_until_heard(stack)
    check_books(stack, [*stack.wait([stack.post("after five times")]), *map(stack.job, [job])])
    assert stack.job(job).timeline == views[0].timeline
    assert views[0].attempt == 1


def rubbish(queue: str) -> list[bytes]:
    good: dict[str, Any] = json.loads(encode(Notification(queue, f"{queue}.probe", UNKNOWN)))

    def with_body(value: Any, **changes: Any) -> bytes:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return json.dumps({**good, "body": base64.b64encode(text).decode(), **changes}).encode()

    def with_headers(**changes: Any) -> bytes:
        return json.dumps({**good, "headers": {**good["headers"], **changes}}).encode()

    shapes: list[Any] = [[], {}, 7, None, MARK, [MARK], {"body": MARK}, {"headers": {"id": {}, "task": MARK}}]
    embed = [{}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return [
        MARK.encode(), b"", b"\xff\xfe\x00" + MARK.encode(), b"[" * 100_000, os.urandom(300), b'{"a": NaN}',
        *(json.dumps(shape).encode() for shape in shapes),
        with_headers(task=f"{MARK}.unknown"), with_headers(task=None), with_headers(id=[MARK]), with_headers(eta=MARK),
        with_headers(expires=MARK), with_headers(timelimit=MARK), with_headers(lang=MARK, retries=MARK),
        with_headers(compression=MARK), with_headers(task=7),
        with_body([[UNKNOWN], *embed]), with_body([[MARK], *embed]), with_body([[{"x": MARK}], *embed]),
        with_body([[1, 2, MARK], *embed]), with_body([[], {"wrong": MARK}, embed[1]]), with_body([[], *embed]),
        with_body({"x": MARK}), with_body(MARK), with_body(b"\x80" + MARK.encode()), with_body([[[MARK] * 9], *embed]),
        with_body([["x" * 2_000_000 + MARK], *embed]), with_body([[UNKNOWN], *embed], properties={}),
        with_body([[UNKNOWN], *embed], **{"content-type": f"application/{MARK}"}),
        with_body([[UNKNOWN], *embed], **{"content-encoding": MARK}),
        json.dumps({**good, "body": MARK}).encode(), json.dumps({**good, "properties": MARK}).encode(),
        json.dumps({**good, "headers": MARK}).encode(), json.dumps({**good, "headers": {}}).encode(),
        json.dumps({**good, "properties": {**good["properties"], "body_encoding": MARK}}).encode(),
        json.dumps({**good, "properties": {**good["properties"], "delivery_info": None}}).encode(),
        json.dumps({**good, "properties": {**good["properties"], "reply_to": MARK, "priority": MARK}}).encode(),
        json.dumps({**good, "properties": {**good["properties"], "delivery_tag": {"a": MARK}}}).encode(),
    ]  # fmt: skip


def children_of(stack: Stack) -> dict[str, list[psutil.Process]]:
    return {name: one.children() for name, one in stack.processes.items() if name.startswith("worker")}


def test_rubbish_in_every_queue_stops_no_worker_and_is_not_logged(stack: Stack) -> None:
    stack.worker("quick")
    stack.worker("slow")
    mains = {name: process.pid for name, process in stack.processes.items()}
    families = children_of(stack)
    for queue in QUEUES:
        for message in rubbish(queue):
            stack.redis().lpush(PREFIX + queue, message)
    with stack.application.control.begin() as session:
        asked = [
            enqueue(session, stack.application.notifier, probe, organisation_id=None, requested_by="drill").id
            for probe in PROBES.values()
        ]
    assert {view.state for view in stack.wait(asked, 40)} == {"succeeded"}
    for queue in QUEUES:
        wait_until_heard(stack, queue)
    assert {name: process.pid for name, process in stack.processes.items() if process.alive} == mains
    assert children_of(stack) == families
    assert MARK not in stack.log_texts()
    check_books(stack, stack.wait([stack.post("after the rubbish")]))
    stack.forget("worker-quick")
    stack.forget("worker-slow")


def test_rubbish_that_no_worker_takes_away_does_not_stop_the_pump(stack: Stack) -> None:
    main = stack.processes["worker-ai"]
    os.kill(main.pid, signal.SIGSTOP)
    beat = stack.processes["beat"].pid
    stack.redis().rpush(f"{PREFIX}ai", *rubbish("ai"))
    job = stack.post("behind rubbish")
    stack.redis().lrem(f"{PREFIX}ai", 0, encode(Notification("ai", GENERATE_DRAFT.name, job)))
    with_redis = encode(Notification("ai", GENERATE_DRAFT.name, job)).encode()
    until(lambda: with_redis in stack.redis().lrange(f"{PREFIX}ai", 0, -1), 30, "the pump rings again")
    os.kill(main.pid, signal.SIGCONT)
    check_books(stack, stack.wait([job]))
    assert stack.processes["beat"].alive
    assert stack.processes["beat"].pid == beat
    assert MARK not in stack.log_texts()
