"""Failures of commands: any exception as one line with the next step.

It never has content, neither values nor SQL; but what was typed to name something is said back when there is none.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pigi.cli.arguments import said_back
from pigi.domain.reasons import REASONS, Reason
from pigi.errors import Misconfigured, PigiError, Refused
from pigi.processes.program import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


class NotFoundError(PigiError):
    """What a command was given names nothing; ``message`` says what there is none of, ``advice`` what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__("not_found")
        self.message, self.advice = message, advice


class PolicyRefusedError(PigiError):
    """A file that cannot be published as the policy: ``place`` is where in it, ``problem`` what is wrong there."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__("policy_unfit")
        self.place, self.problem = place, problem


@contextmanager
def not_found_means(message: str, advice: str, sought: str = "") -> Iterator[None]:
    """Say these words if an operation of the block finds nothing, with ``sought`` for their ``{}``.

    Raises NotFoundError.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        raise no_such(message, advice, sought) from None


def no_such(message: str, advice: str, sought: str) -> NotFoundError:
    """The error that says of what was sought that there is none."""
    return NotFoundError(message.format(said_back(sought)), advice.format(said_back(sought)))


@dataclass(frozen=True)
class Failure:
    """``code`` is stable; ``message`` says what happened; ``next`` what to do."""

    code: str
    message: str
    next: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.next}".strip()


OF_LIBRARIES: dict[str, Failure] = {
    "sqlalchemy.exc": Failure(
        "database_away", "The database does not answer.", "See that it runs and that DATABASE_URL is right."
    ),
    "redis.exceptions": Failure(
        "redis_away", "Redis does not answer.", "See that it runs and that REDIS_URL is right, or start `pigi up`."
    ),
}
"""By the module of the exception's class, so that neither library is loaded only to name its errors."""
OF_CLASSES: dict[type[BaseException], Failure] = {
    # A terminal may send what is no UTF-8; no database takes that.
    UnicodeEncodeError: Failure("invalid", "Something on the command line is not text.", "Type it again."),
}

WORDS: dict[str, Failure] = {
    "not_found": Failure(
        "not_found",
        "Nothing here has this id.",
        "`pigi organisations list` and `pigi jobs list` show the ids there are.",
    ),
    "address_taken": Failure(
        "address_taken",
        "The address has an account.",
        "Operators' accounts are apart from people's: choose another address. If it is a disabled operator's, "
        "`pigi operators enable EMAIL` lets them in again.",
    ),
    "invalid_address": Failure(
        "invalid_address", "Mail cannot be sent to this address.", "Give one such as name@example.org."
    ),
}
"""What is said on the command line, where that differs."""


def failure_of(error: BaseException) -> Failure:
    """The failure behind any exception."""
    if isinstance(error, Misconfigured):
        return Failure("misconfigured", _sentence(str(error)), "`pigi check` shows all there is to settle.")
    if isinstance(error, CannotStartError):
        return Failure(error.code, _sentence(str(error)))
    if isinstance(error, PigiError):
        return _refusal(error)
    known = OF_LIBRARIES.get(error.__class__.__module__) or OF_CLASSES.get(error.__class__)
    if known is not None:
        return known
    if isinstance(error, OSError) and error.strerror:
        return Failure(
            "system", f"{error.strerror}: {said_back(str(error.filename or 'no file'))}.", "Mend that and try again."
        )
    return _unforeseen(error)


def _refusal(error: PigiError) -> Failure:
    if isinstance(error, NotFoundError):
        return Failure(error.code, error.message, error.advice)
    if isinstance(error, PolicyRefusedError):
        message = f"The policy cannot be published: {error.place}: {_sentence(error.problem)}"
        return Failure(error.code, message, "Nothing was published; mend that and try again.")
    reason = REASONS.get(error.code, Reason(f"Refused: {error.code}.", ""))
    if isinstance(error, Refused) and (keys := error.details.get("keys")):
        return Failure(error.code, f"{reason.title.rstrip('.')}: {keys}.", reason.advice)
    return WORDS.get(error.code, Failure(error.code, reason.title, reason.advice))


LONGEST_USAGE = 300
"""Characters of what is wrong with a command line, which says back what was typed."""


def show_usage(error: click.ClickException, *, as_json: bool) -> None:
    """Write what was wrong about the command line to stderr."""
    error.message = said_back(error.message, LONGEST_USAGE)  # type: ignore[misc]  # click itself sets it but once
    if not as_json:
        error.show()
        return
    context = getattr(error, "ctx", None)
    advice = f"`{context.command_path} --help` shows what it takes." if context else "`pigi --help` shows the commands."
    failure = Failure("usage", _sentence(error.format_message()), advice)
    sys.stderr.write(f"{json.dumps(asdict(failure))}\n")


def show(error: BaseException, *, as_json: bool) -> None:
    """Write the failure to stderr."""
    failure = failure_of(error)
    sys.stderr.write(f"{json.dumps(asdict(failure)) if as_json else f'pigi: {failure}'}\n")


def _unforeseen(error: BaseException) -> Failure:
    """The place in the code, but never the exception's words, which may quote what was worked on."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "no place known"
    return Failure(
        "internal", f"Something broke inside Pigi ({type(error).__name__} in {place}).", "Please report this line."
    )


def _sentence(text: str) -> str:
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?", ")")) else f"{flat}."
