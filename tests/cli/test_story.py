from __future__ import annotations

import pytest

from pigi.cli import output
from pigi.cli.client import read_events
from pigi.cli.story import LiveText, tell
from pigi.settings import Settings
from tests.cli.conftest import ROOT

STREAM = b"""retry: 500

: a comment
id: 1.1.0
event: move
data: {"state":"queued"}

id: 2.2.0
event: end
data: {"state":"succeeded"}

"""


def test_events_are_read_as_the_standard_says():
    events = list(read_events(STREAM.splitlines(keepends=True)))
    assert [(event.id, event.name, event.data["state"]) for event in events] == [
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
    tell("unheard-of", {})
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
