"""Files that clients send: taken in piece by piece at the client's pace, with flat memory, while nothing else is held.

An upload may take many minutes. Meanwhile it has a thread and a slot of its own, no permit and no connection. A piece
that does not come in time ends it (the server raises TimeoutError), and so does the whole if it takes too long.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from pigi.errors import Refused
from web.http.budget import Slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from werkzeug.sansio.multipart import Event

PIECE: Final = 1024 * 1024
"""Bytes that are asked for at a time. The server gives each so long that the slowest upload has 34 KiB a second."""
WHOLE_SECONDS: Final = 3600
"""How long an upload may take. A gigabyte then needs 300 KiB a second."""
MOST_OF_ONE: Final = 2
"""Uploads of one organisation that a process takes in at once."""
BUSY_SECONDS: Final = 30
"""When to come back if others have the slots."""
FORM: Final = "multipart/form-data"
RAW: Final = ("application/json", "application/zip", "application/octet-stream")
MOST_FORM_BYTES: Final = 64 * 1024
"""What a form may hold beside the file: its headers and boundaries."""
MOST_HELD: Final = 4 * PIECE
"""What of a form may wait for its next boundary."""


class UploadReceiver:
    """Receives so many uploads at once, ``of_one`` of a network."""

    def __init__(self, slots: int, of_one: int) -> None:
        self._slots = Slots(slots, of_one)
        self._of_organisations = Slots(slots, MOST_OF_ONE)

    @contextmanager
    def slot(self, organisation_id: str, network: str) -> Iterator[None]:
        """The right to upload, for a block; raises Refused ``uploads_busy``."""
        slots = (self._slots.take(network), self._of_organisations.take(organisation_id))
        try:
            if None in slots:
                raise Refused("uploads_busy", retry_after=BUSY_SECONDS)
            yield
        finally:
            for slot in slots:
                if slot is not None:
                    slot.give_back()

    def pieces(self, most_bytes: int) -> Iterator[bytes]:
        """The file that the request sends, raw or in a form, in the order in which it comes.

        Raises Refused: ``body_too_slow``, ``import_too_large``, ``media_type_unsupported``, ``malformed_body`` for a
            form that is none, or that holds no file, or one that ends too early.
        """
        if request.mimetype not in {*RAW, FORM}:
            raise Refused("media_type_unsupported")
        form = request.mimetype == FORM
        sent = self._sent(most_bytes + (MOST_FORM_BYTES if form else 0), most_bytes)
        return _file_of(sent, request.mimetype_params.get("boundary", "")) if form else sent

    def _sent(self, most_bytes: int, limit: int) -> Iterator[bytes]:
        request.max_content_length = most_bytes
        give_up = time.monotonic() + WHOLE_SECONDS
        try:
            while piece := request.stream.read(PIECE):
                yield piece
                if time.monotonic() > give_up:
                    break
            else:
                return
        except RequestEntityTooLarge:
            raise Refused("import_too_large", limit=limit) from None
        except (ClientDisconnected, OSError) as error:
            # Werkzeug makes one of the other. If it is no lack of time, nobody is there to hear it.
            if not isinstance(error.__context__ or error, TimeoutError):
                raise Refused("malformed_body") from None
        raise Refused("body_too_slow")


def _file_of(sent: Iterable[bytes], boundary: str) -> Iterator[bytes]:
    """The one file of a form (RFC 7578); fields beside it are left out."""
    files, inside = 0, False
    for event in _events(sent, boundary):
        if isinstance(event, Data):
            if inside and event.data:
                yield bytes(event.data)
        elif isinstance(event, File | Field):
            inside = isinstance(event, File)
            files += inside
        if files > 1:
            break
        if isinstance(event, Epilogue) and files == 1:
            return
    raise Refused("malformed_body")


def _events(sent: Iterable[bytes], boundary: str) -> Iterator[Event]:
    """The form as it comes; what cannot be one is held up to `MOST_HELD` and refused."""
    try:
        decoder = MultipartDecoder(boundary.encode("ascii"), max_form_memory_size=MOST_HELD, max_parts=10)
        for piece in chain(sent, (None,)):
            decoder.receive_data(piece)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
                if isinstance(event, Epilogue):
                    return
    except (ValueError, RequestEntityTooLarge):
        raise Refused("malformed_body") from None
