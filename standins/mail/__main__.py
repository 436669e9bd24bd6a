"""The command ``python -m standins.mail``."""

from __future__ import annotations

import argparse
import threading

from standins.mail.server import MailSink


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="standins.mail", description="A mail server that delivers nothing.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="for SMTP")
    parser.add_argument("--pages", type=int, required=True, help="for the outbox's page and its JSON")
    options = parser.parse_args(arguments)
    with MailSink(options.host, (options.port, options.pages)):
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
