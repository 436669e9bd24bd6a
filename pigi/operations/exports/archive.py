"""A zip archive that is written in a stream and can be taken up again by another process.

Format: PKWARE's APPNOTE 6.3, with data descriptors, so that nothing is written before it is known. After `flush` the
state says all that is needed to go on: what is compressed later refers to nothing before it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

VERSION, FLAGS, DEFLATED = 20, 0x0808, 8
"""Data descriptors, and names in UTF-8."""
UNIX_FILE = 0o100600 << 16
LOCAL = struct.Struct("<4sHHHHHIIIHH")
DESCRIPTOR = struct.Struct("<4sIII")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
END = struct.Struct("<4sHHHHIIH")
LEVEL = 6


@dataclass
class State:
    """How far an archive is written: ``entries`` are (name, checksum, compressed size, size, offset), the last open."""

    offset: int = 0
    entries: list[list[Any]] = field(default_factory=list)


class Archive:
    """Hands bytes on to ``add_bytes``; at most 4 GB, compressed, of one entry and of all."""

    def __init__(self, add_bytes: Callable[[bytes], None], state: State, at: datetime) -> None:
        """An archive that stands at ``state``; every entry bears the time ``at``."""
        self._add_bytes, self.state = add_bytes, state
        self._date = ((at.year - 1980) << 9) | (at.month << 5) | at.day
        self._time = (at.hour << 11) | (at.minute << 5) | at.second // 2
        self._compressor = _compressor()

    def open(self, name: str) -> None:
        """Begin an entry; the one before must be closed."""
        self.state.entries.append([name, 0, 0, 0, self.state.offset])
        encoded = name.encode()
        head = (b"PK\3\4", VERSION, FLAGS, DEFLATED, self._time, self._date, 0, 0, 0, len(encoded), 0)
        self._emit(LOCAL.pack(*head) + encoded)

    def write(self, data: bytes) -> None:
        """Add to the open entry."""
        entry = self.state.entries[-1]
        entry[1] = zlib.crc32(data, entry[1])
        entry[3] += len(data)
        self._compressed(self._compressor.compress(data))

    def flush(self) -> None:
        """After this `state` stands for all that was written."""
        self._compressed(self._compressor.flush(zlib.Z_FULL_FLUSH))

    def close(self) -> None:
        """End the open entry."""
        self._compressed(self._compressor.flush(zlib.Z_FINISH))
        self._compressor = _compressor()
        _name, checksum, compressed, size, _offset = self.state.entries[-1]
        self._emit(DESCRIPTOR.pack(b"PK\7\10", checksum, compressed, size))

    def finish(self) -> None:
        """End the archive with its directory."""
        begin = self.state.offset
        for name, checksum, compressed, size, offset in self.state.entries:
            encoded = name.encode()
            made, sizes = (3 << 8) | VERSION, (checksum, compressed, size)
            head = (b"PK\1\2", made, VERSION, FLAGS, DEFLATED, self._time, self._date, *sizes, len(encoded))
            self._emit(CENTRAL.pack(*head, 0, 0, 0, 0, UNIX_FILE, offset) + encoded)
        count, length = len(self.state.entries), self.state.offset - begin
        self._emit(END.pack(b"PK\5\6", 0, 0, count, count, length, begin, 0))

    def _compressed(self, data: bytes) -> None:
        self.state.entries[-1][2] += len(data)
        self._emit(data)

    def _emit(self, data: bytes) -> None:
        self.state.offset += len(data)
        if data:
            self._add_bytes(data)


def _compressor() -> Any:
    return zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
