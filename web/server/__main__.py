"""``python -m web.server``: serve ``web.wsgi:app``, or another WSGI application, over HTTP/1.1."""

from __future__ import annotations

import argparse
import socket
import sys

from web.http import budget
from web.server.processes import Workers, answer, listen


def main() -> int:
    """Read the options and serve; returns the status to end with."""
    reader = argparse.ArgumentParser(prog="web.server", description=__doc__)
    reader.add_argument("application", metavar="MODULE:NAME")
    reader.add_argument("--host", default="127.0.0.1")
    reader.add_argument("--port", type=int, default=8000)
    reader.add_argument("--workers", type=int, default=budget.WORKERS)
    reader.add_argument("--threads", type=int, default=budget.THREADS, help="of each process, at most")
    reader.add_argument("--stop-seconds", type=float, default=2.0, help="for requests in progress, at the end")
    reader.add_argument("--socket", type=int, help=argparse.SUPPRESS)
    options = reader.parse_args()
    if options.socket is not None:
        answer(options.application, socket.socket(fileno=options.socket), options.threads, options.stop_seconds)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        sys.stderr.write(f"{options.host}:{options.port} cannot be listened on: {error.strerror}\n")
        return 1
    command = [sys.executable, "-m", "web.server", *sys.argv[1:]]
    return Workers(command, listener, options.workers).run(options.stop_seconds)


if __name__ == "__main__":
    sys.exit(main())
