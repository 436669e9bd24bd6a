"""Pigi's exceptions: refused, temporary, permanent, misconfigured.

    PigiError
    ├── Refused      the request cannot be met; the requester can change it
    ├── Temporary    it may work later; the engine tries again
    ├── Permanent    trying again cannot help; the job fails with this code
    └── Misconfigured  the installation is wrong; a process refuses to start

Every error carries a stable ``code``. `pigi.domain.reasons` turns a code into a sentence and the next
step. No error carries content: no purpose, name, address or secret may reach a message or an argument,
because messages end up in logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta


class PigiError(Exception):
    """Base of all of Pigi's errors; ``code`` is stable and may be shown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(PigiError):  # noqa: N818 - an outcome, read aloud as one: "raise Refused"
    """The request cannot be met as it is. ``details`` holds facts about the request, never content."""

    def __init__(self, code: str, **details: str | int | Sequence[Mapping[str, str | int]]) -> None:
        super().__init__(code)
        self.details = details


class Temporary(PigiError):  # noqa: N818 - see Refused
    """It may work later. ``retry_after`` is what the provider's Retry-After says, if it says one."""

    def __init__(self, code: str, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class Permanent(PigiError):  # noqa: N818 - see Refused
    """Trying again cannot help."""


class Misconfigured(PigiError):  # noqa: N818 - see Refused
    """The installation is wrong; ``problems`` lists what to change, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("misconfigured")
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)
