"""Faults that are planned for requests to come: refusals, delays, answers that never arrive.

Names, with their options:

``fail`` (``status``, ``retry_after``, ``after``, ``stored``): an error; ``after`` the act was done, and ``stored`` as
the answer that its idempotency key has from then on. ``busy`` (``retry_after``): a 429 before anything is done.
``slow`` (``seconds``): the request is at work that long before it acts, so that its key is in use. ``drop_before``,
``drop_after``: the connection is cut before or after the act. ``hang_after``: the act is done, and no answer comes
until the server closes. ``malformed``: the act is done, and the answer is not JSON.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from standins.stripe.api import Answer, Course
from standins.stripe.requests import RequestError

NAMES: Final = frozenset({"fail", "busy", "slow", "drop_before", "drop_after", "hang_after", "malformed"})
# API reference, "Errors": the types of errors that are not the request's.
_TYPES: Final = {401: "invalid_request_error", 403: "invalid_request_error", 400: "invalid_request_error"}


@dataclass(frozen=True)
class Fault:
    """A fault by its name, with its options."""

    name: str
    status: int = 500
    retry_after: float | None = None
    after: bool = False
    stored: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"a fault is one of {', '.join(sorted(NAMES))}")

    @property
    def refusal(self) -> RequestError:
        """The error that it answers."""
        status = 429 if self.name == "busy" else self.status
        code = "rate_limit" if self.name == "busy" else None
        found = RequestError(status, "An error that was planned.", _TYPES.get(status, "api_error"), code=code)
        if self.retry_after is not None:
            found.headers = {"Retry-After": f"{self.retry_after:g}"}
        return found

    @property
    def refuses(self) -> bool:
        """Whether it refuses before anything is done."""
        return self.name == "busy" or (self.name == "fail" and not self.after)


class FaultyCourse(Course):
    """The course of a request that has a fault; ``closing`` ends its waits."""

    def __init__(self, fault: Fault, closing: threading.Event) -> None:
        self._fault = fault
        self._closing = closing

    def begin(self) -> None:
        if self._fault.seconds:
            self._closing.wait(self._fault.seconds)
        if self._fault.refuses:
            raise self._fault.refusal

    def end(self, found: Answer) -> Answer:
        return Answer.of(self._fault.refusal) if self._fault.after and self._fault.stored else found


@dataclass
class _Planned:
    method: str
    path: str
    fault: Fault
    times: int


class Faults:
    """The plan: the first fault that fits a request is taken, as many times as it was planned for."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def plan(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """Plan ``fault`` for the next ``times`` requests of ``method`` (``*`` for any) whose path begins so."""
        with self._lock:
            self._planned.append(_Planned(method.upper(), path, fault, times))

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of a request, if one is planned."""
        with self._lock:
            for one in self._planned:
                if one.times > 0 and one.method in {"*", method} and path.startswith(one.path):
                    one.times -= 1
                    return one.fault
        return None

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._planned.clear()
