"""Whatever a stranger sends is read, or refused as it is said to be: a share of ``python -m benchmarks.parsers``."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks.parsers import whole
from benchmarks.parsers.__main__ import PARSERS
from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.parser import LINEAR, Parser, slowest, tried
from web.http import logs

if TYPE_CHECKING:
    from flask import Flask

SEED = 1
INPUTS = 120
REQUESTS = 2
"""For each route."""


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_what_is_hostile_is_read_or_refused_as_declared(parser: Parser) -> None:
    found = tried(parser, INPUTS, SEED)

    assert found.failures == {}
    assert len(found.outcomes) > 1


@pytest.mark.parametrize("parser", [one for one in PARSERS if one.pumps], ids=lambda parser: parser.name)
def test_a_text_four_times_as_long_takes_no_longer_than_that(parser: Parser) -> None:
    assert slowest(parser, sorts=2)[0] <= LINEAR


FOUND = [
    ("files to import", '{"format": 1e' + "9" * 33 + "}"),
    ("MAIL_FROM", '""@=?utf-8?q?x?='),
]


@pytest.mark.parametrize(("name", "text"), FOUND)
def test_what_once_broke_a_reader_no_longer_does(name: str, text: str) -> None:
    (parser,) = [one for one in PARSERS if one.name == name]

    assert parser.outcome(text)


def reader(expression: str) -> Parser:
    return Parser("planted", Grammar(("a",), ("a",)), re.compile(expression).fullmatch)


@pytest.mark.parametrize("expression", ["(a+)+b", "a*a*b"])
def test_one_that_takes_longer_is_seen(expression: str) -> None:
    assert slowest(reader(expression), sorts=2)[0] > LINEAR


def test_one_that_breaks_or_answers_otherwise_is_seen() -> None:
    answers = iter(range(1_000_000))
    breaks = Parser("planted", Grammar(("12",)), int)
    changes = Parser("planted", Grammar(("12",)), lambda _: next(answers))

    assert [name.partition(" ")[0] for name in tried(breaks, 50, SEED).failures] == ["ValueError"]
    assert "AssertionError" in str(tried(changes, 50, SEED).failures)
    assert tried(breaks, 50, SEED) == tried(breaks, 50, SEED)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_no_header_or_query_breaks_a_route(
    app: Flask, headers: dict[str, str], own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[Any] = []
    monkeypatch.setattr(logs, "failure", lambda facts, error: broken.append((facts.route, repr(error))))
    random = Random(SEED)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for _ in range(REQUESTS):
            sent = whole.request(random, headers)
            method = random.choice(sorted(rule.methods or {"GET"}))
            environ = EnvironBuilder(whole.path(rule.rule, random, own), method=method, **sent).get_environ()
            _, status, _ = run_wsgi_app(app, environ | {"HTTP_HOST": whole.HOSTS.text(random)}, buffered=True)
            assert int(status[:3]) < 500 or rule.rule == "/readyz", (rule.rule, method, sent, status)
    assert broken == []


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_a_parameter_twice_is_refused(app: Flask, headers: dict[str, str]) -> None:
    answer: Any = app.test_client().get("/api/v1/jobs?limit=1&limit=2", headers=headers)

    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "limit")
