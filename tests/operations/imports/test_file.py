"""Zips that are made to cost more than they weigh, or to be read where nothing is."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from pigi.operations.imports.document import BrokenFileError
from pigi.operations.imports.file import opened
from tests.support.imports import document_of

MOST = 100 * 1024 * 1024
MOST_LISTED = 1024 * 1024


def unpacked(data: bytes) -> bytes:
    with opened(io.BytesIO(data), MOST, lambda _: None) as (_, file):
        found = b""
        while piece := file.read():
            found += piece
        return found


def zipped(how: int, data: bytes = document_of()) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        archive.writestr("export.json", data)
    return made.getvalue()


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_is_packed_as_usual_is_unpacked(how):
    assert unpacked(zipped(how)) == document_of()


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_would_become_a_gigabyte_at_one_step_is_not_unpacked(how):
    """A million spaces are forty bytes to bzip2, and come back in one piece however few are asked for."""
    with pytest.raises(BrokenFileError, match="import_zip_broken"):
        unpacked(zipped(how, b" " * 1_000_000 + document_of()))


def test_a_list_of_very_many_files_is_not_held():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("export.json", document_of())
    data = made.getvalue()
    begins, entry = data.index(b"PK\x01\x02"), 46
    other = bytearray(data[begins : begins + entry]) + b"x"
    other[28:30] = struct.pack("<H", 1)  # the length of its name
    own = data[begins : data.index(b"PK\x05\x06")]
    listed = own + bytes(other) * (MOST_LISTED // len(other) + 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(listed), begins, 0)
    assert unpacked(data[:begins] + own + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(own), begins, 0))
    with pytest.raises(BrokenFileError, match="import_zip_broken"):
        unpacked(data[:begins] + listed + end)


def test_whatever_is_damaged_in_a_zip_is_said_to_be():
    """One byte more, less or other, anywhere: the zip's end may then say that its files begin before it does."""
    data = zipped(zipfile.ZIP_DEFLATED)
    damaged = [
        changed
        for at in range(2, 200, 3)
        for changed in (data[:at] + b"E" + data[at:], data[:at] + data[at + 1 :], data[:at] + b"\xff" + data[at + 1 :])
    ]
    outcomes = {outcome(one) for one in damaged}
    assert "import_zip_broken" in outcomes
    assert outcomes <= {document_of(), "import_zip_broken", "import_zip_not_one"}


def outcome(data: bytes) -> bytes | str:
    try:
        return unpacked(data)
    except BrokenFileError as error:
        return str(error)
