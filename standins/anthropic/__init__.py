"""A stand-in for Anthropic's Messages API, for development and tests without a key: ``python -m standins.anthropic``.

It speaks the real protocol, so that the real SDK and all of Pigi's own code run. It keeps nothing: a request
is in memory while it is answered and is never written to a disk or a terminal.
"""
