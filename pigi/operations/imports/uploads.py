"""Uploads: a file on its way into the files store, in parts, and the job that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from pigi.clock import now
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import READ_IMPORT
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import changing, reading, serialise_changes
from pigi.operations.imports.imports import IMPORT, MOST_OPEN, ImportState, count_open, folder_of
from pigi.operations.plans import count_today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession

COUNTED_AS, MOST_A_DAY = "imports", 200
"""Uploads of an organisation in a day (UTC), also those that it discards."""
PART = 4 * 1024 * 1024
"""Bytes of a part in the files store, and about what an upload holds in memory."""


class Upload:
    """A file that is being uploaded. Nothing but the files store knows of it before `close`."""

    def __init__(self, application: Application, caller: Caller, announced: int | None = None) -> None:
        """Check that it may come, before any of it is written; ``announced`` is its size in bytes, if it is known.

        Raises Refused: ``import_too_large``, ``too_many_imports``.
        """
        self._application, self._caller = application, caller
        self._most: int = application.settings.import_bytes
        self._check_size(announced or 0)
        with reading(application, caller) as session:
            if count_open(session) >= MOST_OPEN:
                raise Refused("too_many_imports", limit=MOST_OPEN)
        self.id, self._sizes, self._held = new_id(), list[int](), bytearray()
        self._folder = folder_of(caller.organisation_id, self.id)

    def take(self, pieces: Iterable[bytes]) -> None:
        """Store the file as it comes; what was stored is removed if it does not come whole.

        Raises Refused ``import_too_large``, FilesAwayError, and what ``pieces`` raises.
        """
        try:
            for piece in pieces:
                self._held += piece
                self._check_size(sum(self._sizes) + len(self._held))
                while len(self._held) >= PART:
                    self._put(PART)
            if self._held:
                self._put(len(self._held))
        except BaseException:
            self.abandon()
            raise

    def close(self, on_queued: Callable[[ControlSession, JobView], None] | None = None) -> JobView:
        """Record the import and request the job that reads it: the row first, then the job, as for a generation.

        Raises Refused: ``too_many_imports`` if others came meanwhile, ``too_many_today``, ``organisation_closed``.
        """
        job_id = new_id()
        try:
            self._insert(job_id)
            with self._application.control.begin() as session:
                count_today(session, self._caller.organisation_id, COUNTED_AS, MOST_A_DAY)
                job = enqueue(
                    session,
                    self._application.notifier,
                    READ_IMPORT,
                    organisation_id=self._caller.organisation_id,
                    requested_by=self._caller.name,
                    subject_id=self.id,
                    job_id=job_id,
                )
                if on_queued is not None:
                    on_queued(session, job)
        except Refused:
            # Anything else may have been committed: then the row is the job's, or `sweep_imports` removes it.
            with changing(self._application, self._caller) as tenant:
                tenant.execute(IMPORT.delete().where(IMPORT.c.id == self.id))
            self.abandon()
            raise
        return job

    def abandon(self) -> None:
        """Remove what was stored."""
        self._application.files.remove(self._folder)

    def _put(self, length: int) -> None:
        self._application.files.put(f"{self._folder}/{len(self._sizes) + 1}", bytes(self._held[:length]))
        self._sizes.append(length)
        del self._held[:length]

    def _check_size(self, size: int) -> None:
        if size > self._most:
            raise Refused("import_too_large", limit=self._most)

    def _insert(self, job_id: str) -> None:
        row = {
            "id": self.id,
            "job_id": job_id,
            "state": ImportState.READING,
            "size": sum(self._sizes),
            "sizes": ",".join(map(str, self._sizes)),
            "cursor": "",
            "requested_by": self._caller.name,
            "created_at": now(),
        }
        with changing(self._application, self._caller) as session:
            serialise_changes(session, "imports")
            if count_open(session) >= MOST_OPEN:
                raise Refused("too_many_imports", limit=MOST_OPEN)
            session.execute(insert(IMPORT), row)
