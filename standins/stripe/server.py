"""The HTTP server of the stand-in: the account, its pages and controls, and the delivery of its events."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from standins.stripe import site
from standins.stripe.account import Account
from standins.stripe.catalogue import PRICES, stock
from standins.stripe.controls import Controls
from standins.stripe.events import Deliveries, make, new_destination
from standins.stripe.handler import Faults, Handler, Served
from standins.stripe.portal import set_up

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from standins.stripe.handler import Reply
    from standins.stripe.requests import Request

SECRET: Final = "whsec_standin"  # noqa: S105 - guards nothing but a developer's own machine


@dataclass(frozen=True)
class Setup:
    """The settings that the account begins with.

    ``prices`` are ``id=amount:currency:interval``, separated by commas. ``webhook`` is where events are posted, signed
    with ``secret``, in the form ``payload`` (``snapshot`` or ``thin``); without it they wait for `take_events`.
    ``public`` is the address under which people reach the pages, if it is another than the server's own. ``state`` is
    a file that outlives the server.
    """

    prices: str = PRICES
    webhook: str = ""
    secret: str = SECRET
    payload: str = "snapshot"
    public: str = ""
    state: Path | None = None


class StripeStandIn(Controls, ThreadingHTTPServer, Served):
    """The server; a context manager that serves and delivers in threads."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, setup: Setup | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), Handler)
        self.setup = setup or Setup()
        self.closing = threading.Event()
        self._lines: set[socket.socket] = set()
        self.faults: Faults = Faults()
        self.account = Account(self.setup.public.rstrip("/") or self.url, self.setup.state)
        self.account.listeners.append(lambda *change: make(self.account, *change))
        self.deliveries = Deliveries(self.account, self.closing)
        self.destination = self._begin()

    def _begin(self) -> str:
        """Stock the account; the destination of this server's own is made anew, or brought in step."""
        setup, account = self.setup, self.account
        stock(account, setup.prices)
        own = next((one for one in account.of("webhook_endpoint").values() if one.get("_own")), None)
        if own is None:
            own = new_destination(account, setup.webhook, ["*"], _own=True)
        own |= {"url": setup.webhook, "_payload": setup.payload, "_secret": setup.secret}
        set_up(account)
        account.save()
        return str(own["id"])

    @property
    def url(self) -> str:
        """The base address to give to the SDK."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._lines.discard(request)
        super().shutdown_request(request)

    def heard(self, request: Request) -> None:
        """Called with each request to the API as it comes; a test double replaces this."""

    def reply(self, request: Request) -> Reply:
        return site.reply(self, request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a trace could show what was sent, and a reader that left is no error."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        threading.Thread(target=self.deliveries.run, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.account.told.set()
        self.shutdown()
        self.server_close()
        # Clients keep their connections open, and each holds a thread.
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
