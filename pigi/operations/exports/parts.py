"""Writing an export's file part by part, so that whoever takes over from a worker that died goes on after the last.

A part is put into the files store whole and then recorded in the export's row, with where to go on. Recording asks for
the lease: of two attempts that both believe the job is theirs, one writes objects that nobody refers to.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.exports import ExportState
from pigi.domain.retention import Retention, keep
from pigi.errors import Permanent, PigiError
from pigi.jobs.execution.timeouts import DATABASE_SECONDS
from pigi.jobs.model.claim import Fenced, JobInterrupt, LeaseLost
from pigi.jobs.model.transitions import IS_RUNNING, JOB, MINE, UNFENCED
from pigi.operations.exports.exports import EXPORT, Part, object_name, view_of, write_parts
from pigi.store.objects import FilesAwayError
from pigi.store.outages import retry_while_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.exports.exports import ExportView
    from pigi.store.sessions import ControlSession

PART_BYTES = 4 * 1024 * 1024
"""How large a part grows before it is cut: what a kill costs, and what one put holds in memory."""
EFFECT = "file"

_MINE = select(JOB.c.id, (~UNFENCED).label("fenced")).where(MINE, IS_RUNNING).with_for_update(of=JOB)


@dataclass(frozen=True)
class _Put:
    """A part on its way into the store: ``parts`` are all with it, ``record`` writes them into the row."""

    done: Future[None]
    name: str
    parts: tuple[Part, ...]
    record: Callable[[ControlSession, tuple[Part, ...]], object]


class PartWriter:
    """The file of a job's export while it is written. Add bytes, and `cut` where the text can be taken up again.

    Use it as a context manager. While a part is put and summed up, the next is written: half of the time goes there.

    Attributes:
        export: the export as it stood when this attempt began.
        cursor: where the last part ended that earlier attempts recorded; empty at the beginning of the file.
    """

    def __init__(self, context: JobContext, application: Application) -> None:
        """Take up the job's export; one that failed, and whose job is retried by hand, begins anew.

        Raises Permanent ``export_gone`` if there is none any more, or its period is over.
        """
        self._context, self._files = context, application.files
        row = self._take_up()
        self.export: ExportView = view_of(row)
        self.cursor: str = row.cursor
        self._parts = self.export.parts
        self._sha256 = hashlib.sha256()
        self._buffer: list[bytes] = []
        self._size = 0
        self._thread = ThreadPoolExecutor(1, "export-part")
        self._putting: _Put | None = None

    @property
    def done(self) -> bool:
        """Whether an earlier attempt finished the file, and died before it could say so."""
        return self.export.state is ExportState.READY

    def begin(self) -> None:
        """Record the effect, and read again what earlier attempts wrote, for the checksum.

        Raises LeaseLost, Cancelled, Fenced; FilesAwayError.
        """
        self._context.begin_effect(EFFECT)
        for number, part in enumerate(self._parts, start=1):
            self._context.checkpoint()
            for piece in self._files.read(self._name(number, part), 0, part.size):
                self._sha256.update(piece)

    def add(self, data: bytes) -> None:
        """Append to the file."""
        self._buffer.append(data)
        self._size += len(data)

    @property
    def full(self) -> bool:
        """Whether a part's worth has been added since the last cut."""
        return self._size >= PART_BYTES

    def cut(self, cursor: str) -> None:
        """End the part here, so that a later attempt goes on from ``cursor``. It is put while the next is written.

        Raises LeaseLost, Cancelled, Fenced, HandBack; FilesAwayError. Either may be about the part before.
        """
        self._context.checkpoint_now()
        self._settle_put()
        self._start_put(lambda session, parts: self._record(session, {"sizes": write_parts(parts), "cursor": cursor}))

    def finish(self, on_ready: Callable[[ControlSession], None] | None = None) -> None:
        """Put the last part and make the file ready; ``on_ready`` is done in the transaction that does. As `cut`."""
        self._context.checkpoint_now()
        self._settle_put()
        moment = now()

        def record(session: ControlSession, parts: tuple[Part, ...]) -> None:
            ready = {
                "sizes": write_parts(parts),
                "cursor": "",
                "state": ExportState.READY.value,
                "bytes": sum(part.size for part in parts),
                "sha256": self._sha256.hexdigest(),
                "expires_at": moment + keep(Retention.EXPORT),
            }
            # Not again if the answer to the first commit was lost.
            if self._record(session, ready) and on_ready is not None:
                on_ready(session)

        self._start_put(record)
        self._settle_put()
        self.settle()

    def settle(self) -> None:
        """Record that the effect was had."""
        self._context.confirm_effect(EFFECT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Whatever ended the attempt, the part on its way is waited for: recorded if it may be, else removed."""
        with suppress(JobInterrupt, PigiError, SQLAlchemyError):
            self._settle_put()
        self._thread.shutdown(wait=False)

    def _start_put(self, record: Callable[[ControlSession, tuple[Part, ...]], object]) -> None:
        """Have the part put and summed up by the thread, which lets this one go on meanwhile."""
        data = b"".join(self._buffer)
        part = Part(self._context.job.attempt, len(data))
        name = self._name(len(self._parts) + 1, part)
        self._buffer.clear()
        self._size = 0
        self._putting = _Put(self._thread.submit(self._put, name, data), name, (*self._parts, part), record)

    def _put(self, name: str, data: bytes) -> None:
        self._files.put(name, data)
        self._sha256.update(data)

    def _settle_put(self) -> None:
        """Wait for the part that is on its way, if one is, and record it."""
        putting, self._putting = self._putting, None
        if putting is None:
            return
        putting.done.result()

        def write() -> None:
            with self._context.control.begin() as session:
                putting.record(session, putting.parts)

        try:
            retry_while_unavailable(write, DATABASE_SECONDS)
        except JobInterrupt:
            self._forget(putting.name)
            raise
        self._parts = putting.parts

    def _record(self, session: ControlSession, values: dict[str, Any]) -> bool:
        """Write to the export's row while it is being prepared; whether it was."""
        connection = session.connection()
        held = connection.execute(_MINE, self._context.job.mine).first()
        if held is None:
            raise LeaseLost
        if held.fenced:
            raise Fenced
        preparing = EXPORT.c.id == self.export.id, EXPORT.c.state == ExportState.PREPARING.value
        return int(connection.execute(update(EXPORT).where(*preparing).values(**values)).rowcount) == 1

    def _forget(self, name: str) -> None:
        """Remove what nobody will refer to; if it cannot be done now, the export's cleanup does."""
        try:
            self._files.remove(name)
        except FilesAwayError:
            return

    def _name(self, number: int, part: Part) -> str:
        return object_name(self.export.owner, self.export.id, number, part)

    def _take_up(self) -> Any:
        mine = EXPORT.c.id == self._context.subject_id
        anew = {"state": ExportState.PREPARING.value, "sizes": "", "cursor": ""}
        with self._context.control.transaction() as connection:
            held = connection.execute(_MINE, self._context.job.mine).first()
            if held is None:
                raise LeaseLost
            connection.execute(update(EXPORT).where(mine, EXPORT.c.state == ExportState.FAILED.value).values(anew))
            row = connection.execute(select(EXPORT).where(mine)).first()
        if row is None or row.state == ExportState.EXPIRED:
            raise Permanent("export_gone")
        return row
