"""What is malformed is refused before the application hears of it, and what WSGI cannot tell apart never reaches it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.live_server import Live, read_some, serving
from web.server import limits


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Tells what it was given."""
    body = environ["wsgi.input"].read().decode("latin-1")
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({**told, "body": body}).encode()]


@pytest.fixture(scope="module")
def live() -> Any:
    with serving(echo) as server:
        yield server


def told(answer: bytes) -> Any:
    """What the application was given."""
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return json.loads(answer.partition(b"\r\n\r\n")[2])


HEAD = b"Host: a\r\nConnection: close\r\n"
GET = b"GET / HTTP/1.1\r\n" + HEAD
POST = b"POST / HTTP/1.1\r\n" + HEAD
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "a bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a bare LF after a header": GET + b"X: a\nY: b\r\n\r\n",
    "a bare LF after the last header": GET + b"X: a\n\r\n",
    "a bare LF at the end of the head": GET + b"\n",
    "a bare CR in a header": GET + b"X: a\rb\r\n\r\n",
    "a NUL in a header": GET + b"X: a\0b\r\n\r\n",
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": GET + b"X : a\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    "no name": GET + b": a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: b\r\n\r\n",
    "two Authorizations": GET + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "two lengths in one": POST + b"Content-Length: 1, 1\r\n\r\nx",
    "a length with a sign": POST + b"Content-Length: +1\r\n\r\nx",
    "a length and chunks": POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": CHUNKED + b"Content-Length: 1\r\n\r\n0\r\n\r\n",
    "chunks twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of something": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a bare LF after a chunk's size": CHUNKED + b"\r\n1\nx\r\n0\r\n\r\n",
    "a bare LF in a chunk's extension": CHUNKED + b"\r\n1;a=\nb\r\nx\r\n0\r\n\r\n",
    "a bare LF after a chunk": CHUNKED + b"\r\n1\r\nx\n0\r\n\r\n",
    "a bare LF in the trailers": CHUNKED + b"\r\n1\r\nx\r\n0\r\nX: a\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "an old version": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "a method in small letters": b"get / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an address that is no path": b"CONNECT a:80 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a raw byte in the path": b"GET /\xff HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an upgrade with a body": POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
    "another request after the last": GET + b"\r\nGET / HTTP/1.1\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused(live: Live, sent: bytes) -> None:
    answer = live.ask(sent)
    assert b"200 OK" not in answer
    if sent is not MALFORMED["another request after the last"]:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"), answer
        assert json.loads(body)["type"] == "/problems/malformed_request"


@pytest.mark.parametrize("head", [b"X: " + b"a" * limits.HEAD_BYTES, b"\r\n".join([b"X: a"] * 101)])
@pytest.mark.parametrize("end", [b"\r\n\r\n", b""], ids=["whole", "unfinished"])
def test_a_head_that_is_too_large_is_refused(live: Live, head: bytes, end: bytes) -> None:
    if end or len(head) > limits.HEAD_BYTES:
        answer = live.ask(GET + head + end)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"/problems/headers_too_large" in answer


@pytest.mark.parametrize("name", [b"X_Forwarded_For", b"X-Forwarded_For", b"x_forwarded-for", b"Content_Length"])
def test_no_header_passes_for_another(live: Live, name: bytes) -> None:
    found = told(live.ask(GET + b"X-Forwarded-For: 192.0.2.1\r\n" + name + b": 198.51.100.1\r\n\r\n"))
    assert found["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "198.51.100.1" not in found.values()


def test_what_arrives_is_what_was_sent(live: Live) -> None:
    more = b"Content-Type: text/plain\r\nX-Many: a\r\nX-Many: b\r\nCookie: a=1\r\nCookie: b=2\r\n"
    more += b"Proxy: elsewhere\r\nX: \xe9\r\n"
    sent = b"PATCH /a%2Fb%C3%A9/?q=%20&r HTTP/1.1\r\n" + HEAD + more + b"Content-Length: 3\r\n\r\nabc"
    found = told(live.ask(sent))
    assert {name: found[name] for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "body")} == {
        "REQUEST_METHOD": "PATCH",
        "PATH_INFO": "/a/b\xc3\xa9/",
        "QUERY_STRING": "q=%20&r",
        "body": "abc",
    }
    assert (found["CONTENT_TYPE"], found["CONTENT_LENGTH"], found["HTTP_X_MANY"]) == ("text/plain", "3", "a,b")
    assert (found["HTTP_COOKIE"], found["HTTP_X"], "HTTP_PROXY" in found) == ("a=1; b=2", "\xe9", False)
    assert (found["SERVER_PROTOCOL"], found["REMOTE_ADDR"]) == ("HTTP/1.1", "127.0.0.1")


def test_a_body_in_chunks_arrives_whole_without_its_trailers(live: Live) -> None:
    found = told(live.ask(CHUNKED + b"\r\n2;note=x\r\nab\r\n1\r\nc\r\n0\r\nX-Late: 1\r\n\r\n"))
    assert (found["body"], found["CONTENT_LENGTH"], "HTTP_X_LATE" in found) == ("abc", "3", False)
    assert "HTTP_TRANSFER_ENCODING" not in found


def test_a_whole_address_is_read_as_its_path(live: Live) -> None:
    found = told(live.ask(b"GET http://elsewhere.example/a?b HTTP/1.1\r\n" + HEAD + b"\r\n"))
    assert (found["PATH_INFO"], found["QUERY_STRING"], found["HTTP_HOST"]) == ("/a", "b", "a")


def test_an_upgrade_is_not_made(live: Live) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"
    assert told(live.ask(upgrade))["PATH_INFO"] == "/"


def test_requests_on_one_connection_are_answered_in_order(live: Live) -> None:
    three = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in (1, 2))
    answer = live.ask(three + b"GET /3 HTTP/1.1\r\n" + HEAD + b"\r\n").decode()
    assert re.findall(r'"PATH_INFO": "([^"]*)"', answer) == ["/1", "/2", "/3"]


def test_more_than_a_few_at_once_on_one_connection_are_not_kept(live: Live) -> None:
    many = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
    assert live.ask(many).count(b"HTTP/1.1 200") <= limits.MOST_PIPELINED + 1


def test_a_head_request_and_an_old_version(live: Live) -> None:
    connection = live.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_some(connection, b"\r\n\r\n").endswith(b"\r\n\r\n")
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert told(read_some(connection, b"}"))["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert connection.recv(1) == b""
