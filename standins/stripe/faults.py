"""A stand-in that fails on demand, and records the requests to it.

    with FaultyStripe() as server:
        server.plan("POST", "/v1/customers", hang_after())
        ...  # server.url, server.requests

Faults are taken in the order in which they were planned, each as many times as it was planned for; what none fits is
answered well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from standins.stripe.handler import Fault
from standins.stripe.server import Setup, StripeStandIn

if TYPE_CHECKING:
    from standins.stripe.requests import Request


class FaultyStripe(StripeStandIn):
    """A stand-in with recorded requests: ``requests`` are those to the API, as they came."""

    def __init__(self, setup: Setup | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[Request] = []
        super().__init__(setup, host, port)

    def heard(self, request: Request) -> None:
        """Record ``request``."""
        self.requests.append(request)

    def plan(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """Plan ``fault`` for the next ``times`` requests of ``method`` (``*`` for any) whose path begins so."""
        self.faults.plan(method, path, fault, times)

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of a method whose path begins so."""
        return [one for one in self.requests if one.method == method and one.path.startswith(path)]


def fail(status: int, retry_after: float | None = None, *, after: bool = False, stored: bool = False) -> Fault:
    """An error, before or ``after`` the act; ``stored`` keeps one of before it as the answer to its key."""
    return Fault("fail", status, retry_after, after, stored)


def busy(retry_after: float | None = 1) -> Fault:
    """A 429 before anything is done."""
    return Fault("busy", 429, retry_after)


def slow(seconds: float) -> Fault:
    """The request is at work that long before it acts; its key is in use meanwhile."""
    return Fault("slow", seconds=seconds)


def hang_after() -> Fault:
    """The act is done, and no answer comes until the server closes."""
    return Fault("hang_after")


def drop_after() -> Fault:
    """The act is done, and the connection is cut."""
    return Fault("drop_after")


def drop_before() -> Fault:
    """The connection is cut before anything is done."""
    return Fault("drop_before")


def malformed() -> Fault:
    """The act is done, and the answer is not JSON."""
    return Fault("malformed")
