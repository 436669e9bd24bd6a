"""What clients and proxies say in headers."""

from __future__ import annotations

import ipaddress
import re
from inspect import signature
from types import SimpleNamespace
from typing import Any

from flask import Flask
from werkzeug.http import parse_etags, parse_range_header
from werkzeug.wrappers import Request

from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.parser import Parser
from pigi.domain.access import Person
from pigi.domain.preconditions import Tags, read_tags
from pigi.domain.resources.secrets.examples import DIGEST_LENGTH
from pigi.errors import Refused
from pigi.operations.accounts import csrf_token, is_csrf_token
from pigi.operations.api_keys import keys
from pigi.operations.credentials import is_token
from web.http import auth, dispatch, downloads, errors, idempotency, middleware, packing, requests, streams, transport

APP = Flask("parsers")
TOKEN = "dGhpcyBpcyBhIHRva2VuIG9mIDQzIHNpZ25zLCBuby4"
ID = "0193a2b4-7c1e-7d3f-9a55-0c2f6e8b1d47"
KEY = f"pigi_{ID.replace('-', '')}_{TOKEN}"
OWNER: Any = (Person("nobody", "none"),) if len(signature(is_csrf_token).parameters) > 2 else ()
SIZE = 1000
JOB: Any = SimpleNamespace(timeline=(1, 2, 3), revision=7, ended=False)
B64TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")


def cookie(text: str) -> tuple[str, bool]:
    found = Request({"HTTP_COOKIE": text}).cookies.get(auth.SESSION, "")
    return found, is_token(found)


def after_others(text: str, _found: object) -> None:
    """Whatever stands before it, a session's cookie at the end is seen, unless an earlier one is of its name."""
    if '"' not in text and auth.SESSION not in text:
        assert cookie(f"{text}; {auth.SESSION}={TOKEN}") == (TOKEN, True)


def bearer(text: str) -> tuple[str, str] | None:
    match = auth._BEARER.fullmatch(text)
    return None if match is None else keys._parts(match[1])


def as_rfc_6750(text: str, _found: object) -> None:
    """The grammar of the RFC, sign by sign; at most 512 signs before its padding."""
    scheme, _, rest = text.partition(" ")
    token = rest.strip(" ")
    body = token.rstrip("=")
    fits = scheme.lower() == "bearer" and 0 < len(body) <= 512 and set(body) <= B64TOKEN
    assert (auth._BEARER.fullmatch(text) is not None) == fits


def network(text: str) -> str:
    return transport.network_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": text}, 1)


def is_a_network(text: str, found: str) -> None:
    assert found == transport.UNKNOWN or ipaddress.ip_network(found)
    assert network(f"{text}, 192.0.2.7") == "192.0.2.7"


def https(text: str) -> bool:
    return transport.is_https({"HTTP_X_FORWARDED_PROTO": text, "wsgi.url_scheme": "http"}, 1)


def https_is_said(text: str, found: bool) -> None:
    assert not found or "https" in text.lower()


def wait(text: str) -> int | None:
    with APP.test_request_context(headers={"Prefer": text}):
        return dispatch.wait_preference()


def within_bounds(_text: str, found: int | None) -> None:
    assert found is None or 0 <= found <= dispatch.LONGEST_WAIT_SECONDS


def tags(text: str) -> tuple[bool, list[str], list[str]]:
    found = read_tags(text)
    assert found is not None
    return found.anything, sorted(found.strong), sorted(found.weak)


def as_werkzeug_reads_tags(text: str, _found: object) -> None:
    """Whatever Pigi takes for a list, Werkzeug reads as the same tags; it knows no empty ones, which the RFC has."""
    ours = read_tags(text)
    if ours is None or ours == Tags() or '""' in text:
        return
    theirs = parse_etags(text.strip())
    assert ours.anything == theirs.star_tag
    assert {tag[1:-1] for tag in ours.strong} == set(theirs.as_set())
    assert all(theirs.contains_weak(tag[1:-1]) for tag in ours.weak)


def byte_range(text: str) -> tuple[int, int] | None:
    with APP.test_request_context(headers={"Range": text}):
        found = downloads._asked_for('"tag"', SIZE)
    return None if found is None else (found.start, found.stop)


def as_werkzeug_reads_ranges(text: str, found: tuple[int, int] | None) -> None:
    """A stretch that is given is the one that Werkzeug finds; an empty one is none to it."""
    if found is None or found[0] >= found[1]:
        return
    theirs = parse_range_header(text)
    assert theirs is not None
    assert theirs.range_for_length(SIZE) == found


def if_range(text: str) -> tuple[int, int] | None:
    with APP.test_request_context(headers={"Range": "bytes=1-2", "If-Range": text}):
        found = downloads._asked_for('"tag"', SIZE)
    return None if found is None else (found.start, found.stop)


def of_this_file_alone(text: str, found: object) -> None:
    assert (found is not None) == (text == '"tag"')


def cursor(text: str) -> str:
    return str(streams.read_cursor(text, JOB))


def round_trip(text: str, found: str) -> None:
    assert found == "None" or streams.read_cursor(found, JOB) == streams.read_cursor(text, JOB)


def accepts(text: str) -> tuple[bool, bool]:
    packed = packing._is_wanted({"HTTP_ACCEPT_ENCODING": text})
    with APP.test_request_context(headers={"Accept": text}):
        return packed, errors.wants_page()


def marks(text: str) -> str:
    environ = {"HTTP_IF_MATCH": text}
    packing.read_tags_as_one(environ)
    return environ["HTTP_IF_MATCH"]


def media_type(text: str) -> str:
    with APP.test_request_context(method="POST", headers={"Content-Type": text}):
        requests._check_type()
    return "json"


def is_json(text: str, _found: object) -> None:
    assert text.partition(";")[0].strip().lower() == "application/json"


def pattern(expression: Any) -> Any:
    return lambda text: bool(expression.match(text))


def examples(text: str) -> list[str]:
    with APP.test_request_context(headers={"Pigi-Examples": text}):
        return sorted(requests.examples())


def location(text: str) -> str:
    settings: Any = SimpleNamespace(production=True, proxies=0, public_url="https://pigi.example")
    return transport.Transport(settings)._location({"PATH_INFO": text, "QUERY_STRING": text})


def leads_home(_text: str, found: str) -> None:
    assert re.fullmatch(r"https://pigi\.example[!-~]*", found)


ADDRESSES = ("192.0.2.7", "2001:db8:1:2::9", "[2001:db8::1]:443", "::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.7:99")
ETAGS = ('"tag"', '"3"', 'W/"3", "4-archived"', "*", ', "a,b" ,, W/"c"')
MORE_TAGS = Grammar(ETAGS, ('"', 'W/"', '"3"', ",", ", ", "*", "\t", "w/", "-gzip"), wire=True)
RANGES = ("bytes=0-99", "bytes=-5", "bytes=990-", "bytes=0-0,5-6")

PARSERS = (
    Parser(
        "cookies",
        Grammar(
            (f"{auth.SESSION}={TOKEN}", f"a=b; {auth.SESSION}={TOKEN}; {auth.XSRF}=x", f'{auth.SESSION}="{TOKEN}"'),
            (auth.SESSION, "=", "; ", ";", '"', TOKEN, "\\073", "\\", "a=b", ",", "$Version=1"),
            wire=True,
        ),
        cookie,
        holds=after_others,
    ),
    Parser(
        "bearer tokens",
        Grammar((f"Bearer {KEY}", f"bearer  {KEY} ", "Bearer abc=="), ("Bearer", " ", KEY, "pigi_", "_", "=", "Basic")),
        bearer,
        (Refused,),
        as_rfc_6750,
    ),
    Parser(
        "csrf tokens",
        Grammar((csrf_token(TOKEN), ""), ("=", TOKEN), wire=True),
        lambda text: is_csrf_token(*OWNER, TOKEN, text),
    ),
    Parser(
        "X-Forwarded-For",
        Grammar(
            (*ADDRESSES, ", ".join(ADDRESSES)), (",", ", ", "[", "]", ":", "%", "::", ".", "0x7f", "unknown"), wire=True
        ),
        network,
        holds=is_a_network,
    ),
    Parser(
        "X-Forwarded-Proto",
        Grammar(("https", "http, https", "HTTPS ,"), ("https", "http", ",", " "), wire=True),
        https,
        holds=https_is_said,
    ),
    Parser(
        "Prefer",
        Grammar(
            ("wait=20", 'respond-async, wait="5"; x=y', "wait", 'a="b,\\"c", WAIT = 9'),
            ("wait", "=", ",", ";", '"', "\\", '\\"', " ", "9" * 20),
            wire=True,
        ),
        wait,
        holds=within_bounds,
    ),
    Parser("entity tags", MORE_TAGS, tags, holds=as_werkzeug_reads_tags),
    Parser("marks of packed tags", MORE_TAGS, marks),
    Parser("If-Range", MORE_TAGS, if_range, holds=of_this_file_alone),
    Parser(
        "Range",
        Grammar(RANGES, ("bytes", "=", "-", ",", "9" * 19, "0"), wire=True),
        byte_range,
        holds=as_werkzeug_reads_ranges,
    ),
    Parser(
        "Last-Event-ID",
        Grammar(("1.2.3", "0.0.0", "3.7.999999999"), (".", "9" * 9, "-1"), wire=True),
        cursor,
        holds=round_trip,
    ),
    Parser(
        "Accept, Accept-Encoding",
        Grammar(
            ("gzip", "gzip;q=0, br", "text/html,*/*;q=0.8", 'a/b;c="d;e"'),
            ("gzip", ";q=", ",", ";", '"', "\\", "*", "1.0", "text/html"),
            wire=True,
        ),
        accepts,
    ),
    Parser(
        "Content-Type",
        Grammar(
            ("application/json", "application/json; charset=utf-8"),
            ("application/", "json", ";", '="', "\\", "=", "*0="),
            wire=True,
        ),
        media_type,
        (Refused,),
        is_json,
    ),
    Parser(
        "Idempotency-Key",
        Grammar(("first-try", '"quoted"', "a b"), ("~", "!", " "), wire=True),
        pattern(idempotency._KEY),
    ),
    Parser("X-Request-ID", Grammar(("abcdefgh", "A" * 64), ("-", "_"), wire=True), pattern(middleware._REQUEST_ID)),
    Parser(
        "Pigi-Examples",
        Grammar(
            ("a" * DIGEST_LENGTH, f"{'a' * DIGEST_LENGTH} , {'b' * DIGEST_LENGTH}"),
            (",", " ", "a" * DIGEST_LENGTH),
            wire=True,
        ),
        examples,
        (Refused,),
    ),
    Parser(
        "addresses in the clear",
        Grammar(("/o/1?a=b", "//evil.example/x", "/\\evil"), ("/", "\\", "..", "@", "?", "%0d%0a"), wire=True),
        location,
        holds=leads_home,
    ),
)
