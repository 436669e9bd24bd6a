from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pigi.cli import output
from pigi.cli.demo import client_for, follow
from pigi.cli.demo_output import LiveText, show
from pigi.settings import Settings
from tests.cli.conftest import ROOT

PART_ONE = b"""retry: 1

: a comment
id: 1.1.0
event: move
data: {"state":"queued"}

"""
PART_TWO = b"""id: 2.2.0
event: end
data: {"state":"succeeded"}

"""


class Cut(BaseHTTPRequestHandler):
    """Cuts its first stream in the middle of the chunks; the next one goes on from the event that came last."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        last = self.headers["Last-Event-ID"]
        self.server.came_back_with.append(last)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        part = PART_TWO if last else PART_ONE
        self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if last:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_words):
        pass


def test_a_stream_that_is_cut_goes_on_with_the_next_event():
    with HTTPServer(("127.0.0.1", 0), Cut) as server:
        server.came_back_with = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with client_for(f"http://127.0.0.1:{server.server_port}", "key") as client:
            events = list(follow(client, "/events"))
        server.shutdown()
    assert server.came_back_with == [None, "1.1.0"]
    assert [(event.id, event.event, event.json()["state"]) for event in events] == [
        ("1.1.0", "move", "queued"),
        ("2.2.0", "end", "succeeded"),
    ]


def test_live_text_fits_the_page_and_loses_nothing(capsys):
    text = " ".join(f"word{number}" for number in range(200)) + r"\n\nlast line " + "x" * 200
    live = LiveText()
    for start in range(0, len(text), 7):
        live.write(text[start : start + 7], 1)
    live.close()
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= output.WIDTH for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.replace("\\n", "\n").split())


def test_an_event_of_a_later_version_is_passed_over(capsys):
    show("unheard-of", {})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("terminal", "environment"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})]
)
def test_colour_only_where_it_is_welcome(monkeypatch, capsys, terminal, environment):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    output.say(output.bold("plain"))
    assert capsys.readouterr().out == "plain\n"


def test_a_table_is_aligned():
    assert output.table([("ID", "STATE"), ("a-long-id", "x")]) == "ID         STATE\na-long-id  x"


def test_every_setting_is_in_the_example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    expected = {field.validation_alias.choices[0] for field in Settings.model_fields.values()}
    assert named == expected
