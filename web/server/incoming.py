"""A request as far as it has come."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from web.http.serving import Intake
from web.server.bodies import ComingBody

if TYPE_CHECKING:
    from web.server.shares import Holding

USUAL: Final = Intake()


@dataclass(slots=True, eq=False)
class Incoming:
    """Its head is complete once it has an ``environ``, and then all is ``complete`` once its body is.

    ``body_bytes`` of a body came in ``frame_bytes``, those not counted that came with the head.
    ``receiving`` and ``large`` are what its body holds of the network's shares.
    """

    target: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    size: int = 0
    environ: dict[str, Any] = field(default_factory=dict)
    network: str = ""
    persistent: bool = True
    most_bytes: int = USUAL.most_bytes
    body: bytearray | ComingBody | None = None
    body_bytes: int = 0
    frame_bytes: int = 0
    complete: bool = False
    receiving: Holding | None = None
    large: Holding | None = None

    def finish(self) -> None:
        """Nothing more comes of it."""
        self.complete = True
        if self.receiving is not None:
            self.receiving.release()
        if self.large is not None:
            # It has arrived, and keeps its place until it is answered.
            self.large.give_up = None
        if isinstance(self.body, ComingBody):
            self.body.end()

    def release(self) -> None:
        """It is answered, refused or lost."""
        for holding in (self.receiving, self.large):
            if holding is not None:
                holding.release()
        if isinstance(self.body, ComingBody) and not self.complete:
            self.body.lose()

    def give_input(self) -> None:
        """Put its body where WSGI has it, and nowhere else."""
        if isinstance(self.body, ComingBody):
            self.environ["wsgi.input"] = self.body
            self.environ["wsgi.input_terminated"] = "CONTENT_LENGTH" not in self.environ
            return
        body, self.body = bytes(self.body or b""), None
        self.environ["wsgi.input"] = io.BytesIO(body)
        if self.environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
            self.environ["CONTENT_LENGTH"] = str(len(body))
