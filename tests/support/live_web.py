"""Pigi answering over HTTP in a thread of the test's own process, so that a test can change what it answers."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pigi.application import Application

Headers = list[tuple[str, str]]


class _Silent(WSGIRequestHandler):
    def log(self, *_facts: Any) -> None:
        """Say nothing."""


def a_port() -> int:
    """A port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveWeb:
    """The application, and what changes its headers, if anything does."""

    def __init__(self, application: Application) -> None:
        self._app = create_app(application)
        self._change: Callable[[dict[str, Any], Headers], Headers] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer, as WSGI has it."""

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, self._change(environ, headers) if self._change else headers, exc_info)

        return self._app(environ, start)

    @contextmanager
    def answering(self, change: Callable[[dict[str, Any], Headers], Headers]) -> Iterator[None]:
        """Answers with other headers within the block."""
        self._change = change
        try:
            yield
        finally:
            self._change = None


@contextmanager
def live(application: Application) -> Iterator[LiveWeb]:
    """Pigi at its own public address, for the block."""
    web = LiveWeb(application)
    port = int(application.settings.public_url.rpartition(":")[2])
    server = make_server("127.0.0.1", port, web, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
