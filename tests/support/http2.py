"""One request over HTTP/2 (RFC 9113), with whatever names of headers; of what comes back the body alone is read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


def ask_h2(line: ssl.SSLSocket, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """The body of the answer to a request on stream 1."""
    fields = [(":method", method), (":scheme", "https"), (":authority", "pigi.example"), (":path", path), *headers]
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
    sent = PREFACE + _frame(SETTINGS, 0, 0, b"") + _frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), 1, block)
    line.sendall(sent + (_frame(DATA, END_STREAM, 1, body) if body else b""))
    found, flags, kind = b"", 0, SETTINGS
    with line.makefile("rb") as answer:
        while not (kind in {DATA, HEADERS} and flags & END_STREAM):
            head = answer.read(9)
            if len(head) < 9:
                break
            kind, flags = head[3], head[4]
            payload = answer.read(int.from_bytes(head[:3], "big"))
            found += payload if kind == DATA else b""
    return found


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


def _text(text: str) -> bytes:
    """As it is, without Huffman's code; at most 126 characters (RFC 7541, sections 5.1 and 5.2)."""
    return bytes([len(text)]) + text.encode("latin-1")
