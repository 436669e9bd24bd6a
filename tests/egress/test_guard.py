"""The guard in this process: what is listed passes and is counted, all else is refused and alarms."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from pigi import egress
from pigi.egress import Destination, EgressRefused, Guard, destinations_of
from pigi.settings import Settings


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def guarded(listener):
    counts, alarms = [], []
    guard = Guard(
        [Destination("redis", "127.0.0.1", listener), Destination("mail", "localhost", listener + 1)],
        lambda recipient, outcome: counts.append((recipient, outcome)),
        alarms.append,
    )
    egress.install(guard)
    try:
        yield counts, alarms
    finally:
        egress.uninstall()


def test_a_listed_address_passes_and_is_counted(guarded, listener):
    counts, alarms = guarded
    socket.create_connection(("127.0.0.1", listener)).close()
    with socket.socket(socket.AF_INET6) as within:
        within.connect_ex(("::ffff:127.0.0.1", listener))
    assert (counts, alarms) == ([("redis", "begun")] * 2, [])


def test_anything_else_is_refused_counted_and_alarms_with_its_place(guarded, listener):
    counts, alarms = guarded
    tries = [
        lambda: socket.create_connection(("127.0.0.1", listener + 2)),
        lambda: socket.create_connection(("collector.example", 443)),
        lambda: socket.gethostbyname("collector.example"),
        lambda: socket.socket().connect_ex(("192.0.2.1", 443)),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", listener + 3)),
        lambda: socket.socket().connect(("localhost", listener)),
    ]
    for attempt in tries:
        with pytest.raises(EgressRefused) as refused:
            attempt()
        assert refused.value.code == "egress_refused"
        assert "example" not in str(refused.value)
    assert counts == [("elsewhere", "refused")] * len(tries)
    assert any(place.startswith(f"{__name__}:") for place in alarms[0])


def test_a_loop_that_tries_again_and_again_alarms_once_a_minute(guarded):
    counts, alarms = guarded
    for _ in range(50):
        with pytest.raises(EgressRefused):
            socket.gethostbyname("collector.example")
    assert (len(counts), len(alarms)) == (50, 1)


def test_a_listed_name_stands_for_what_it_resolves_to_at_its_port_alone(guarded, listener):
    counts, _ = guarded
    with socket.create_server(("127.0.0.1", listener + 1)):
        # By a literal that nobody looked up here: as a client with a resolver of its own would.
        socket.create_connection(("127.0.0.1", listener + 1)).close()
    with pytest.raises(EgressRefused):
        socket.create_connection(("localhost", listener + 2))
    assert counts[0] == ("mail", "begun")


def test_threads_and_forks_are_guarded_and_local_sockets_are_left_alone(guarded, tmp_path):
    found = []

    def attempt():
        try:
            socket.gethostbyname("collector.example")
        except EgressRefused as error:
            found.append(error.code)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    child = os.fork()
    if not child:
        attempt()
        os._exit(len(found))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


def test_the_settings_name_every_destination(tmp_path):
    settings = Settings(
        home=tmp_path,
        database_url="postgresql+psycopg://pigi@db.example:6543/pigi",
        redis_url="rediss://queue.example",
        smtp_url="smtps://u:p@mail.example",
        files_url="s3://bucket?endpoint=https://files.example",
        public_url="https://pigi.example",
    )
    assert {(found.recipient, found.host, found.port) for found in destinations_of(settings)} == {
        ("stripe", "api.stripe.com", 443),
        ("anthropic", "api.anthropic.com", 443),
        ("mail", "mail.example", 465),
        ("database", "db.example", 6543),
        ("redis", "queue.example", 6379),
        ("files", "files.example", 443),
        ("pigi", "pigi.example", 443),
        ("pigi", "127.0.0.1", 8000),
    }
