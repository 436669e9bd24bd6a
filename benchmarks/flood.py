"""The crowd that dribbles: one network holds 2,000 connections open, all slow, and tries 200 passwords a second.

How long does a client from another network wait meanwhile, who asks for jobs and reads as usual? Its p50, p95 and p99
before, during and after, its errors, and the memory of the web processes. All on loopback (127.0.0.1 attacks, 127.0.0.2
is the other network), bounded, and over by itself. The crowd runs on the same cores: what it costs itself is said too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import psutil

from benchmarks.requests import BODY, server
from benchmarks.support import ROOT, ground, percentile
from pigi.operations.api_keys import issue_key
from pigi.operations.organisations import create_organisation
from web.http.budget import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("bodies", "headers", "idle", "readers", "streams", "http2")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TICK = 1.0
"""Between bytes of a connection that sends, and between reads of a few bytes."""
OPENED_A_TICK = 200
"""How many connections are opened anew a second at most, once the server has closed them."""


class Slow:
    """One connection of the crowd."""

    def __init__(self, kind: str, port: int, job: str, key: str) -> None:
        self.kind = kind
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if kind in {"readers", "streams"}:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect_ex(("127.0.0.1", port))
        first = {
            "bodies": "POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            "Content-Length: 60000\r\n\r\n",
            "headers": "GET / HTTP/1.1\r\nHost: a\r\nX: ",
            "idle": "",
            "readers": "GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n",
            "streams": f"GET {job}/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n",
            "http2": "",
        }[kind]
        self.rest = first.encode()
        self.sent = 0

    def tick(self) -> bool:
        """Send a byte, or read a few; False once the server has closed it."""
        try:
            if self.rest:
                self.rest = self.rest[self.socket.send(self.rest) :]
            elif self.kind in {"bodies", "headers"}:
                self.socket.send(b"x")
            elif self.kind == "http2":
                self.socket.send(PREFACE[self.sent % len(PREFACE) :][:1])
                self.sent += 1
            return self.kind == "streams" or self.socket.recv(16) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False


class Guesser:
    """Wrong sign-ins, one after the other on each of a few connections that are kept."""

    def __init__(self, port: int, crowd: selectors.BaseSelector) -> None:
        self._port, self._crowd = port, crowd
        self._idle: list[socket.socket] = []
        self._number = 0
        self.answers: Counter[str] = Counter()

    def guess(self) -> None:
        """Try one more, if one of 64 connections is free for it."""
        self._number += 1
        if not self._idle and len(self._crowd.get_map()) >= 64:
            self.answers["not sent"] += 1
            return
        connection = self._idle.pop() if self._idle else self._open()
        body = json.dumps({"email": f"nobody{self._number}@example.com", "password": "not the password"})
        lines = ("POST /api/v1/session HTTP/1.1", "Host: a", "Content-Type: application/json")
        head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "", ""))
        try:
            connection.send((head + body).encode())
            self._crowd.register(connection, selectors.EVENT_READ)
        except OSError:
            self.answers["closed"] += 1
            connection.close()

    def take(self, connection: socket.socket) -> None:
        """Count an answer."""
        self._crowd.unregister(connection)
        try:
            answer = connection.recv(65536)
        except OSError:
            answer = b""
        self.answers[answer[9:12].decode() or "closed"] += 1
        if answer and b"connection: close" not in answer.lower():
            self._idle.append(connection)
        else:
            connection.close()

    def _open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), 5, ("127.0.0.1", 0))
        made.setblocking(False)
        return made


def attack(port: int, connections: int, guesses: int, seconds: float, job: str, key: str) -> None:
    """Be the crowd, in a process of its own; prints what it did and what that cost."""
    os.nice(5)
    end, began = time.monotonic() + seconds, time.monotonic()
    crowd = selectors.DefaultSelector()
    guesser = Guesser(port, crowd)
    slow: list[Slow] = []
    closed: Counter[str] = Counter()
    slices, at = 20, 0
    guessed = 0
    while (moment := time.monotonic()) < end:
        # A slice of the connections at a time, so that the load is even.
        at = (at + 1) % slices
        alive = []
        for number, one in enumerate(slow):
            if number % slices != at or one.tick():
                alive.append(one)
            else:
                closed[one.kind] += 1
                one.socket.close()
        slow = alive
        for _ in range(min(OPENED_A_TICK // slices, connections - len(slow))):
            kind = KINDS[(len(slow) + sum(closed.values())) % len(KINDS)]
            slow.append(Slow(kind, port, job, key))
        while guessed < (moment - began) * guesses:
            guessed += 1
            guesser.guess()
        until = moment + TICK / slices
        while (left := until - time.monotonic()) > 0:
            for found, _ in crowd.select(left):
                guesser.take(found.fileobj)  # type: ignore[arg-type]
    used = time.process_time() / (time.monotonic() - began)
    told = {"held": len(slow), "closed by the server": dict(closed), "sign-ins": dict(guesser.answers)}
    print(json.dumps({**told, "cpu": round(used, 3)}), flush=True)


def usual(port: int, path: str, key: str, seconds: float, errors: Counter[str]) -> list[float]:
    """Milliseconds of what a client from another network asks for: two 202s and two reads, 20 requests a second."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    found: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=("127.0.0.2", 0))
    end, number, job = time.monotonic() + seconds, 0, "/api/v1/jobs"
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            if number % 2 == 0:
                connection.request("POST", path, BODY, headers)
            else:
                connection.request("GET", job if number % 4 == 1 else "/api/v1/jobs", headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status not in {200, 202}:
                errors[str(response.status)] += 1
            elif number % 2 == 0:
                job = f"/api/v1/jobs/{json.loads(body)['id']}"
        except (OSError, http.client.HTTPException) as error:
            errors[type(error).__name__] += 1
            connection.close()
        found.append((time.perf_counter() - began) * 1000)
        number += 1
        time.sleep(max(0.0, 0.05 - found[-1] / 1000))
    connection.close()
    return found


def watch(over: threading.Event, processes: Callable[[], list[psutil.Process]], found: list[float]) -> None:
    """The resident memory of the web processes together, in MB, every two seconds."""
    while not over.wait(2):
        try:
            found.append(sum(process.memory_info().rss for process in processes()) / 1e6)
        except psutil.NoSuchProcess:
            continue


def web_processes() -> list[psutil.Process]:
    """Those that answer: children of the one that this process started."""
    own = [one for one in psutil.Process().children() if "web.server" in one.cmdline()]
    return [child for one in own for child in one.children()]


def figures(found: list[float]) -> str:
    """The three percentiles."""
    points = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    return ", ".join(f"{name} {percentile(found, share):.1f}" for name, share in points)


def measure(engine: str, options: argparse.Namespace) -> None:
    """One engine."""
    with ground(engine) as base:
        keys, paths = [], []
        for name in ("Usual", "Crowd"):
            organisation = create_organisation(base.application, name)
            keys.append(issue_key(base.application, organisation, "bench"))
            paths.append(f"/api/v1/organisations/{organisation}/generations")
        errors: Counter[str] = Counter()
        memory: list[float] = []
        over = threading.Event()
        with server(base, "web.wsgi:app", THREADS) as port:
            own = http.client.HTTPConnection("127.0.0.1", port)
            headers = {"Authorization": f"Bearer {keys[1]}", "Content-Type": "application/json"}
            own.request("POST", paths[1], BODY, headers)
            job = f"/api/v1/jobs/{json.loads(own.getresponse().read())['id']}"
            for _ in range(4):
                own.request("GET", "/api/v1/openapi.json")
                own.getresponse().read()
            usual(port, paths[0], keys[0], 3, Counter())
            watcher = threading.Thread(target=watch, args=(over, web_processes, memory), daemon=True)
            watcher.start()
            before = usual(port, paths[0], keys[0], options.around, errors)
            words = ("--attack", str(port), "--job", job, "--key", keys[1], "--seconds", str(options.seconds + 10))
            more = ("--connections", str(options.connections), "--guesses", str(options.guesses))
            crowd = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.flood", *words, *more], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            time.sleep(8)
            cpu = {one.pid: sum(one.cpu_times()[:2]) for one in web_processes()}
            during = usual(port, paths[0], keys[0], options.seconds, errors)
            used = sum(sum(one.cpu_times()[:2]) - cpu.get(one.pid, 0) for one in web_processes()) / options.seconds
            told = crowd.communicate(timeout=60)[0]
            after = usual(port, paths[0], keys[0], options.around, errors)
            over.set()
            watcher.join()
    for name, found in (("before", before), ("during", during), ("after", after)):
        print(f"{engine}: another network's requests, ms: {name}: {figures(found)}, of {len(found):,}")
    print(
        f"{engine}: p95 during/before {percentile(during, 0.95) / percentile(before, 0.95):.2f}; errors {dict(errors)}"
    )
    third = len(memory) // 3
    parts = [statistics.median(memory[third * part : third * (part + 1)]) for part in range(3)]
    print(
        f"{engine}: memory of web, MB, by thirds: {', '.join(f'{part:.0f}' for part in parts)}, most {max(memory):.0f}"
    )
    print(f"{engine}: cores used by web {used:.2f}; the crowd: {told.strip()}", flush=True)


def main() -> None:
    """Both engines in turn, or the crowd alone."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--engines", default="sqlite,postgresql")
    reader.add_argument("--connections", type=int, default=2000)
    reader.add_argument("--guesses", type=int, default=200, help="sign-ins a second")
    reader.add_argument("--seconds", type=float, default=120)
    reader.add_argument("--around", type=float, default=20, help="seconds before and after")
    for name in ("--attack", "--job", "--key"):
        reader.add_argument(name, help=argparse.SUPPRESS)
    options = reader.parse_args()
    if options.attack:
        attack(int(options.attack), options.connections, options.guesses, options.seconds, options.job, options.key)
        return
    for engine in options.engines.split(","):
        measure(engine, options)


if __name__ == "__main__":
    main()
