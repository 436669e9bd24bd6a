"""The command ``python -m standins.anthropic``."""

from __future__ import annotations

import argparse

from standins.anthropic.server import AnthropicStandIn


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="standins.anthropic", description="A stand-in for Anthropic's Messages API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pace", type=float, default=1.0, help="seconds over which a draft streams")
    parser.add_argument("--refuse", action="append", default=[], metavar="KEY", help="a key that is refused")
    options = parser.parse_args(arguments)
    with AnthropicStandIn(options.host, options.port, options.pace) as server:
        server.refused.update(options.refuse)
        try:
            server.closing.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
