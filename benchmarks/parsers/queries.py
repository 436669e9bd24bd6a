"""What queries, paths and links say."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from flask import Flask

from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.headers import APP, ID, TOKEN
from benchmarks.parsers.parser import Parser
from pigi.domain.contact import NUMBER, read_number
from pigi.errors import Refused
from pigi.ids import first_id, is_id
from pigi.operations.credentials import is_token
from web.api import exports, jobs
from web.http import requests
from web.pages.shell import query

LISTED = {**requests.LISTED, "since": jobs.QUERY["since"]}
BEFORE = ("before", "after", "limit", "state", "sort", "since")


def quoted(text: str) -> str:
    """As a client sends it, halves of pairs and all."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="=&%+;")


def asked(name: str, text: str) -> str:
    return f"/?{name}={quote(text.encode('utf-8', 'surrogatepass'))}"


def read_query(text: str) -> dict[str, str]:
    with APP.test_request_context(f"/?{quoted(text)}"):
        found = requests.read_query(LISTED)
        for edge in ("before", "after"):
            assert edge not in found or is_id(found[edge])
        assert 1 <= requests.limit_of(found) <= requests.LARGEST_PAGE
        return found


def each_once(text: str, _found: object) -> None:
    named = Counter(name for name, _ in parse_qsl(quoted(text), keep_blank_values=True))
    assert all(count == 1 for count in named.values())


def moment(text: str) -> str:
    """As a list of jobs takes it: the form first, then the moment, then what a database is given."""
    with APP.test_request_context(asked("since", text)):
        found = requests.moment_of(requests.read_query({"since": LISTED["since"]}), "since")
    assert found is not None
    assert found.utcoffset() is not None
    return first_id(found)


def links(text: str) -> str:
    with APP.test_request_context(f"{asked('expires', text)}&{asked('signature', text)[2:]}"):
        return repr(exports.read_signature())


def page_queries(text: str) -> tuple[Any, ...]:
    with APP.test_request_context(asked("a", text)):
        return query.id_of("a"), query.number_of("a"), query.day_of("a"), query.one_of("a", {"x"})


def place(text: str) -> str:
    with OF_PAGES.app_context():
        return query.local_path(text)


def stays_here(_text: str, found: str) -> None:
    """As a browser resolves it: what a URL parser drops or reads as a slash changes nothing."""
    lax = "".join(sign for sign in found if sign not in "\t\n\r").replace("\\", "/")
    for path in (found, lax):
        there = urlsplit(urljoin("https://pigi.example/sign-in", path))
        assert (there.scheme, there.netloc) == ("https", "pigi.example")


def number(text: str) -> str:
    found = read_number(text)
    return found if NUMBER.fullmatch(found) else ""


def read_again(_text: str, found: str) -> None:
    assert found == number(found)


OF_PAGES = Flask("pages")
OF_PAGES.add_url_rule("/o/<one>", "page", str)
OF_PAGES.extensions["pigi pages"] = frozenset({"page"})
MOMENTS = (
    "2026-11-30T08:00:00Z",
    "2026-11-30",
    "2016-12-31T23:59:60Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
)
PAGES = ("/o/1", "/o/1?next=/x#y", "//evil.example", "/\\evil.example", "/[x", "https://evil.example")

PARSERS = (
    Parser(
        "queries of lists",
        Grammar(
            (f"before={ID}&limit=5", f"after={ID}&state=archived", "since=2026-11-30&sort=name"),
            (*(f"{name}=" for name in BEFORE), "&", "=", "%00", "%ff", "+", ID, "9" * 9, "²"),
        ),
        read_query,
        (Refused,),
        each_once,
    ),
    Parser(
        "moments",
        Grammar(MOMENTS, ("T", "Z", "+23:59", "-00:00", ":60", ".", "0001", "9999", "W01")),
        moment,
        (Refused,),
    ),
    Parser("queries of pages", Grammar((ID, "7", "2026-11-30"), ("urn:uuid:", "{", "-", "²")), page_queries),
    Parser(
        "next",
        Grammar(PAGES, ("/", "\\", "{", "}", "@", ":", "?", "#", "..", "%5c", "\t")),
        place,
        holds=stays_here,
    ),
    Parser("links to files", Grammar(("1764500000", "0"), ("9" * 10, "-")), links),
    Parser("tokens in links", Grammar((TOKEN,), ("-", "_", "=")), is_token),
    Parser(
        "numbers of messages",
        Grammar(("ABCD-EFGH-JKMN-PQRS", "abcd efgh jkmn pqrs"), ("-", " ", "2345")),
        number,
        holds=read_again,
    ),
)
