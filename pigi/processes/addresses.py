"""Ports: is one free, which is the next free one, does a server answer there."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import Any

ANSWER_SECONDS = 1.0
PORTS_TRIED = 50
HIGHEST = 65_535


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind the port. Without SO_REUSEPORT, under which two servers would share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError:
            return False
    return True


def next_free(host: str, port: int) -> int | None:
    """The first free port from ``port`` on; None when fifty are taken."""
    candidates = range(port, min(port + PORTS_TRIED, HIGHEST + 1))
    return next((candidate for candidate in candidates if is_free(host, candidate)), None)


def any_free(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago."""
    with closing(socket.socket()) as attempt:
        attempt.bind((host, 0))
        return int(attempt.getsockname()[1])


def reachable(host: str) -> str:
    """The host to connect to when a server listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound


def get_json(host: str, port: int, path: str) -> tuple[int, Any]:
    """The status and the JSON body (None if it is none) of a GET; status 0 when nobody answers in a second."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()
    try:
        return response.status, json.loads(body)
    except ValueError:
        return response.status, None


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of ``path`` is answered with 200."""
    return get_json(host, port, path)[0] == http.client.OK
