"""TLS in front of a server that has none: what comes decrypted goes on to it."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
"""What a client of PostgreSQL sends before TLS (its documentation, 54.2.11)."""


def _serve(plain: socket.socket, context: ssl.SSLContext, reach: Callable[[], socket.socket], *, asked: bool) -> None:
    with suppress(OSError):
        if asked:
            while plain.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
                plain.sendall(b"N")
            plain.sendall(b"S")
        line = context.wrap_socket(plain, server_side=True)
        behind = reach()
        threading.Thread(target=_pour, args=(behind, line), daemon=True).start()
        _pour(line, behind)


@contextmanager
def relay(context: ssl.SSLContext, reach: Callable[[], socket.socket], *, asked: bool = False) -> Iterator[int]:
    """The port on 127.0.0.1 that speaks TLS for the server that ``reach`` connects to; ``asked`` as PostgreSQL does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    threading.Thread(
                        target=_serve, args=(plain, context, reach), kwargs={"asked": asked}, daemon=True
                    ).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def reach_unix(path: str) -> Callable[[], socket.socket]:
    """Connects to a socket of this machine."""

    def reach() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(path)
        return made

    return reach


def reach(url: URL) -> Callable[[], socket.socket]:
    """Connects to the PostgreSQL that a URL names, on a socket of this machine or elsewhere."""
    folder = str(url.query.get("host", ""))
    if folder.startswith("/"):
        return reach_unix(f"{folder}/.s.PGSQL.{url.port or 5432}")
    return lambda: socket.create_connection((url.host or "localhost", url.port or 5432))
