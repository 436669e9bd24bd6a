"""The guard: an audit hook that sees each connection and each look-up of a name that Python code begins.

It does not see what libraries in C or Rust do by themselves: libpq (PostgreSQL), obstore (files and backups), and the
resolver, which asks the machine's name servers, also about a name that is given to ``connect``, before the hook hears
of it. Those get their addresses from settings alone, and `pigi check --deploy` looks at these. Nor does it bind code
that means to get round it, through ctypes or another program: it finds mistakes, and libraries that report home, not
intruders.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.recipients import ELSEWHERE
from pigi.errors import Permanent
from pigi.logs import FRAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pigi.egress.destinations import Destination

KNOWN_SECONDS: Final = 3600.0
"""For so long an address counts as its name's, since a client may keep what it looked up."""
AGAIN_SECONDS: Final = 5.0
"""How often names are looked up for an address that nobody looked up before."""
ALARM_SECONDS: Final = 60.0
"""How often one place in the code alarms; every refusal is counted."""


class EgressRefused(Permanent, PermissionError):  # noqa: N818 - an outcome, as its bases
    """A connection to somebody who is not in the list of recipients. An OSError, too, as clients expect of a socket."""

    def __init__(self) -> None:
        super().__init__("egress_refused")


class Guard:
    """Decides by the list alone. ``count`` gets each recipient with ``begun`` or ``refused``, ``alarm`` the places in
    the code that led to a refusal, the innermost last. Neither may wait.
    """  # noqa: D205 - one paragraph

    def __init__(
        self,
        destinations: Iterable[Destination],
        count: Callable[[str, str], None],
        alarm: Callable[[Sequence[str]], None],
    ) -> None:
        self._count, self._alarm = count, alarm
        self._named: dict[tuple[str, int], str] = {}
        self._literal: dict[tuple[str, int], str] = {}
        self._known: dict[tuple[str, int], tuple[str, float]] = {}
        self._looked: dict[int, float] = {}
        self._alarmed: dict[str, float] = {}
        for destination in destinations:
            literal = _literal(destination.host)
            where = (literal or destination.host.lower(), destination.port)
            (self._literal if literal else self._named)[where] = destination.recipient
        self._names = {host for host, _ in self._named} | {socket.gethostname().lower(), "localhost"}

    def connect(self, address: Any) -> None:
        """Let a connection, or a packet, pass and count it; raises EgressRefused."""
        if not isinstance(address, tuple) or len(address) < 2:  # noqa: PLR2004 - a socket of this machine
            return
        recipient = self._recipient(_text(address[0]), address[1])
        if recipient is None:
            self._refuse()
        else:
            self._count(recipient, "begun")

    def look_up(self, host: Any) -> None:
        """Let a name be looked up: asking about it tells the name servers. Raises EgressRefused."""
        name = _text(host).lower().rstrip(".")
        if name and name not in self._names and _literal(name) is None:
            self._refuse()

    def learn(self, host: Any, found: Iterable[Any]) -> None:
        """Addresses that the resolver gave for a name count as its own."""
        name, until = _text(host).lower().rstrip("."), time.monotonic() + KNOWN_SECONDS
        ports = [(port, recipient) for (own, port), recipient in self._named.items() if own == name]
        for entry in found:
            literal = _literal(_text(entry[4][0]))
            for port, recipient in ports:
                if literal is not None:
                    self._known[literal, port] = (recipient, until)

    def _recipient(self, host: str, port: int) -> str | None:
        literal = _literal(host)
        if literal is None:
            return self._named.get((host.lower().rstrip("."), port))
        return self._literal.get((literal, port)) or self._by_name(literal, port)

    def _by_name(self, literal: str, port: int) -> str | None:
        """Whose address it is: as looked up before, or now, for a library that has a resolver of its own."""
        recipient = self._still_known(literal, port)
        if recipient is None and time.monotonic() - self._looked.get(port, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            self._looked[port] = time.monotonic()
            for host in [host for host, own in self._named if own == port]:
                try:
                    self.learn(host, _RESOLVE(host, port))
                except OSError:
                    continue
            recipient = self._still_known(literal, port)
        return recipient

    def _still_known(self, literal: str, port: int) -> str | None:
        recipient, until = self._known.get((literal, port), (None, 0.0))
        return recipient if until > time.monotonic() else None

    def _refuse(self) -> None:
        self._count(ELSEWHERE, "refused")
        places = _places()
        innermost = places[-1] if places else ""
        if time.monotonic() - self._alarmed.get(innermost, -ALARM_SECONDS) >= ALARM_SECONDS:
            self._alarmed[innermost] = time.monotonic()
            self._alarm(places)
        raise EgressRefused


class _Installed:
    guard: Guard | None = None
    hooked = False


_RESOLVE: Final = socket.getaddrinfo


def install(guard: Guard) -> None:
    """Guard this process, and those that it forks, from now on; one guard replaces another."""
    _Installed.guard = guard
    if not _Installed.hooked:
        _Installed.hooked = True
        socket.getaddrinfo = _resolve
        sys.addaudithook(_hear)


def uninstall() -> None:
    """Guard nothing any more; for tests, which share a process."""
    _Installed.guard = None


def _resolve(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
    """As socket.getaddrinfo, and the guard learns what came of it."""
    found = _RESOLVE(host, port, *rest, **named)
    if _Installed.guard is not None:
        _Installed.guard.learn(host, found)
    return found


def _connects(guard: Guard, arguments: tuple[Any, ...]) -> None:
    guard.connect(arguments[1])


def _looks_up(guard: Guard, arguments: tuple[Any, ...]) -> None:
    first = arguments[0]
    guard.look_up(first[0] if isinstance(first, tuple) else first)


_HEARD: Final[dict[str, Callable[[Guard, tuple[Any, ...]], None]]] = {
    "socket.connect": _connects,
    "socket.sendto": _connects,
    "socket.sendmsg": _connects,
    "socket.getaddrinfo": _looks_up,
    "socket.gethostbyname": _looks_up,
    "socket.gethostbyaddr": _looks_up,
    "socket.getnameinfo": _looks_up,
}
"""Events of Python's table of audit events (docs.python.org, library/audit_events)."""


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    # Called for every audit event of the process, so the first look is all that most of them cost.
    handle = _HEARD.get(event)
    if handle is not None and _Installed.guard is not None:
        handle(_Installed.guard, arguments)


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")


def _literal(host: str) -> str | None:
    """An address in its one form, an IPv4 address within IPv6 as itself; None for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    within = getattr(address, "ipv4_mapped", None)
    return str(within or address)


def _places() -> list[str]:
    """The places in the code that led here, the innermost last, without this module's own."""
    places: list[str] = []
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to the stack, without reading any source
    while frame is not None and len(places) < FRAMES:
        module = frame.f_globals.get("__name__", "?")
        if module != __name__:
            places.append(f"{module}:{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return places[::-1]
