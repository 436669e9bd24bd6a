"""The upload as a file: its parts in the files store read as one, and unpacked if they are a zip."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from bisect import bisect_right
from contextlib import contextmanager
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Any

from pigi.operations.imports.document import CHUNK, BrokenFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pigi.store.objects import Objects

BUFFER = 1024 * 1024
_ZIP = b"PK"
"""How every zip begins, and no JSON."""
_ENCRYPTED = 0x1
_UNPACKED_IN_STEPS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Ways of packing of which `zipfile` unpacks as much as it is asked for. Of the others a few bytes become a gigabyte at
once, before anybody can count."""
MOST_DIRECTORY = 1024 * 1024
"""Bytes of a zip's list of what is in it, some ten thousand files: `zipfile` holds it at many times its size."""
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
"""What `zipfile` raises where a zip is none, or has been tampered with."""


class UploadedFile(io.RawIOBase):
    """The parts of an upload, one after another, each read in pieces from the files store; can be sought in."""

    def __init__(self, files: Objects, folder: str, sizes: list[int]) -> None:
        super().__init__()
        self._files, self._folder = files, folder
        self._begins = [0, *accumulate(sizes)]
        self._at = 0

    @property
    def size(self) -> int:
        """All its bytes."""
        return self._begins[-1]

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As much as one part holds; raises FilesAwayError."""
        if not 0 <= self._at < self.size:
            return 0
        part = bisect_right(self._begins, self._at) - 1
        length = min(len(buffer), self._begins[part + 1] - self._at)
        name = f"{self._folder}/{part + 1}"
        found = b"".join(self._files.read(name, self._at - self._begins[part], length))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class _Reader(io.BufferedReader):
    """Reads no more at once than any part of a zip has that is read whole; its list of files is the largest."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_DIRECTORY:
            message = "too many files in a zip"
            raise zipfile.BadZipFile(message)
        return super().read(size)


class _Counted:
    """Reads on, counts what comes, and stops what unpacks to more than it may."""

    def __init__(self, inner: IO[bytes], most: int, on_read: Callable[[], None]) -> None:
        self._inner, self._left, self._on_read = inner, most, on_read

    def read(self, size: int = CHUNK) -> bytes:
        self._on_read()
        try:
            found = self._inner.read(size)
        except _BROKEN:
            raise BrokenFileError("import_zip_broken") from None
        self._left -= len(found)
        if self._left < 0:
            raise BrokenFileError("import_unpacks_too_large")
        return found


@contextmanager
def opened(upload: UploadedFile, most: int, on_read: Callable[[int], None]) -> Iterator[tuple[str, Any]]:
    """What the upload is (``json`` or ``zip``) and its JSON to read; ``on_read`` is told how far, in bytes of it.

    Raises BrokenFileError for a zip that cannot be read, or that does not hold exactly one .json file.
    """
    with _Reader(upload, BUFFER) as raw:
        packed = raw.peek(len(_ZIP))[: len(_ZIP)] == _ZIP
        if not packed:
            yield "json", _Counted(raw, most, lambda: on_read(upload.tell()))
            return
        try:
            archive = zipfile.ZipFile(raw)
        except _BROKEN:
            raise BrokenFileError("import_zip_broken") from None
        with archive:
            inside = _only_document(archive)
            with inside:
                yield "zip", _Counted(inside, most, lambda: on_read(upload.tell()))


def _only_document(archive: zipfile.ZipFile) -> IO[bytes]:
    found = [entry for entry in archive.infolist() if entry.filename.endswith(".json")]
    if len(found) != 1:
        raise BrokenFileError("import_zip_not_one")
    if found[0].flag_bits & _ENCRYPTED or found[0].compress_type not in _UNPACKED_IN_STEPS:
        raise BrokenFileError("import_zip_broken")
    try:
        return archive.open(found[0])
    except _BROKEN:
        raise BrokenFileError("import_zip_broken") from None
