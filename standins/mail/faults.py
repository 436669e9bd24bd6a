"""A mail server that fails on demand: each attempt at a recipient takes the next behaviour of their plan.

    with FaultyMail() as sink:
        sink.plan("a@example.org", answer("rcpt", "451 4.7.1 Come back later"), drop("end"), ok())
        ...  # sink.url, sink.arrivals

After a plan's end, and without one, `usual` holds. What was taken is counted in memory, for tests to look at.
The stages of a try, in order: ``greeting`` (of whoever comes), ``rcpt``, ``data`` (before the text), ``body``
(amid it; only to break off), ``end`` (all of it came, nothing is kept), ``taken`` (kept, but not yet confirmed).
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from standins.mail.server import MailSink

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiosmtpd.smtp import Envelope

    from standins.mail.server import Line

    Act = Callable[[Line], Awaitable[str | None]]

STAGES: Final = ("greeting", "rcpt", "data", "body", "end", "taken")


@dataclass(frozen=True)
class Behaviour:
    """What happens at a stage; at the others all goes well."""

    stage: str
    act: Act


@dataclass(frozen=True)
class Arrival:
    """A mail that was taken."""

    recipient: str
    message_id: str


class FaultyMail(MailSink):
    """A mail server with plans; ``usual`` chooses for a recipient without one, by the number of the attempt, from 0."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.arrivals: list[Arrival] = []
        self.tries: defaultdict[str, int] = defaultdict(int)
        self.usual: Callable[[str, int], Behaviour] = lambda _recipient, _number: ok()
        self.greeting: Behaviour = ok()
        self.stalled = threading.Semaphore(0)
        self._plans: defaultdict[str, deque[Behaviour]] = defaultdict(deque)
        self._current: WeakKeyDictionary[Line, Behaviour] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def plan(self, recipient: str, *behaviours: Behaviour) -> None:
        """The tries at this recipient take these behaviours in turn."""
        self._plans[recipient].extend(behaviours)

    def arrived(self, recipient: str) -> list[Arrival]:
        """What was taken for a recipient."""
        with self._lock:
            return [arrival for arrival in self.arrivals if arrival.recipient == recipient]

    def take(self, envelope: Envelope) -> None:
        source = envelope.content if isinstance(envelope.content, bytes) else b""
        message_id = str(message_from_bytes(source)["Message-ID"])
        with self._lock:
            self.arrivals += [Arrival(recipient, message_id) for recipient in envelope.rcpt_tos]
        super().take(envelope)

    async def meet(self, stage: str, line: Line, recipient: str) -> str | None:
        if stage == "greeting":
            self._current[line] = self.greeting
        elif stage == "rcpt":
            self._current[line] = self._choose(recipient)
        behaviour = self._current.get(line)
        return await behaviour.act(line) if behaviour is not None and behaviour.stage == stage else None

    def breaks_off(self, line: Line) -> bool:
        behaviour = self._current.get(line)
        return behaviour is not None and behaviour.stage == "body"

    def _choose(self, recipient: str) -> Behaviour:
        with self._lock:
            number = self.tries[recipient]
            self.tries[recipient] += 1
            plan = self._plans[recipient]
            return plan.popleft() if plan else self.usual(recipient, number)


def ok() -> Behaviour:
    """The mail is taken."""
    return Behaviour("", _go_on)


async def _go_on(_line: Line) -> None:
    """Nothing happens."""


def answer(stage: str, status: str) -> Behaviour:
    """Answer ``status``, such as ``550 5.1.1 No such user``, in place of going on."""

    async def act(_line: Line) -> str:
        return status

    return Behaviour(stage, act)


def greylist() -> Behaviour:
    """As servers do to a sender that they see for the first time."""
    return answer("rcpt", "451 4.7.1 Greylisted, come back later")


def drop(stage: str) -> Behaviour:
    """Cut the connection."""

    async def act(line: Line) -> str | None:
        line.hang_up()
        return await _for_ever()

    return Behaviour(stage, act)


def stall(stage: str, seconds: float | None = None) -> Behaviour:
    """Say nothing for so long, or for ever, then go on; the sink's ``stalled`` counts those who begin to wait."""

    async def act(line: Line) -> str | None:
        sink = line.sink
        if isinstance(sink, FaultyMail):
            sink.stalled.release()
        if seconds is None:
            return await _for_ever()
        await asyncio.sleep(seconds)
        return None

    return Behaviour(stage, act)


def drip(stage: str, interval: float) -> Behaviour:
    """Send a line of an answer that never ends every so many seconds: bytes, but no progress."""

    async def act(line: Line) -> str | None:
        while True:
            await line.push("250-and so on")
            await asyncio.sleep(interval)

    return Behaviour(stage, act)


async def _for_ever() -> str | None:
    """Until the connection or the sink ends, which cancels it."""
    await asyncio.Event().wait()
    return None
