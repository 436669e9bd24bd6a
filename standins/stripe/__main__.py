"""The command ``python -m standins.stripe``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from standins.stripe.catalogue import PRICES
from standins.stripe.server import SECRET, Setup, StripeStandIn


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="standins.stripe", description="A stand-in for Stripe.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook", default="", help="where events are posted")
    parser.add_argument("--secret", help="signs them; from STANDIN_WEBHOOK_SECRET it is seen in no list of processes")
    parser.add_argument("--payload", choices=["snapshot", "thin"], default="snapshot")
    parser.add_argument("--prices", default=PRICES, help="id=amount:currency:interval, separated by commas")
    parser.add_argument("--public", default="", help="the address under which people reach the pages")
    parser.add_argument("--state", type=Path, help="a file that keeps it all")
    given = parser.parse_args(arguments)
    secret = given.secret or os.environ.get("STANDIN_WEBHOOK_SECRET") or SECRET
    setup = Setup(given.prices, given.webhook, secret, given.payload, given.public, given.state)
    with StripeStandIn(setup, given.host, given.port) as server:
        try:
            server.closing.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
