"""Archives of files, encrypted as a stream: a tar inside age (https://age-encryption.org/v1).

What encrypts holds a public key alone. age notices whatever was altered or cut off, but only when it gets there: an
archive counts once it was read to its end.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from contextlib import contextmanager, suppress
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyrage

from pigi.errors import Refused
from pigi.store.files import FILE_MODE, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pigi.store.objects import Sink

PIECE = 1024 * 1024
MEMBER = re.compile(r"(?:[a-z]+/)?[a-z0-9-]+\.[a-z]+")
"""What a file in an archive may be called, so that none is ever written outside of its folder."""


class Source(Protocol):
    """What bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class Archive:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add(self, name: str, path: Path) -> str:
        """Add a file; returns its SHA-256 in hex."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = path.stat().st_size, FILE_MODE
        with path.open("rb") as file:
            hashed = _Hashed(file)
            self._tar.addfile(info, hashed)
        return hashed.sha256.hexdigest()


class _Hashed:
    def __init__(self, source: Source) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


def recipient(text: str) -> pyrage.x25519.Recipient:
    """The public key that ``text`` is; raises Refused ``backup_recipient_invalid``."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise Refused("backup_recipient_invalid") from None


def identity(text: str) -> pyrage.x25519.Identity:
    """The private key in the text of a file as age-keygen writes it; raises Refused ``backup_identity_invalid``."""
    lines = [line.strip() for line in text.splitlines()]
    try:
        return pyrage.x25519.Identity.from_str(next(line for line in lines if line and not line.startswith("#")))
    except (pyrage.IdentityError, StopIteration):
        raise Refused("backup_identity_invalid") from None


def make_identity() -> tuple[str, str]:
    """A new key pair: the private key, and the public one that encrypts for it."""
    made = pyrage.x25519.Identity.generate()
    return str(made), str(made.to_public())


@contextmanager
def packing(sink: Sink, key: pyrage.x25519.Recipient) -> Iterator[Archive]:
    """An archive to add files to, which ends up in ``sink``; raises what the sink raises."""
    kept = _Kept(sink)
    with (
        _piped(lambda source: pyrage.encrypt_io(source, kept, [key]), "rb", kept) as writer,
        tarfile.open(fileobj=writer, mode="w|", bufsize=PIECE) as tar,
    ):
        yield Archive(tar)


def unpack(source: Source, key: pyrage.x25519.Identity, folder: Path) -> dict[str, str]:
    """Unpack all of an archive into ``folder``; returns the SHA-256 of each file by its name.

    Raises Refused: ``backup_identity_wrong`` when it was encrypted for another key, ``backup_damaged`` when it is no
    archive, or was altered or cut off. What was written until then means nothing.
    """
    kept = _Kept(source)
    try:
        with _piped(lambda sink: pyrage.decrypt_io(kept, sink, [key]), "wb", kept) as reader:
            found = _unpacked(reader, folder)
            # To the end: only there age knows that nothing is missing.
            while reader.read(PIECE):
                pass
            return found
    except pyrage.DecryptError as error:
        # pyrage has one class for both, and the words of the Rust crate age.
        wrong = "No matching keys" in str(error)
        raise Refused("backup_identity_wrong" if wrong else "backup_damaged") from None
    except (tarfile.TarError, EOFError):
        raise Refused("backup_damaged") from None
    except OSError as error:
        if kept.error is error or error.errno is not None:
            raise
        raise Refused("backup_damaged") from None


def _unpacked(reader: IO[bytes], folder: Path) -> dict[str, str]:
    found = {}
    with tarfile.open(fileobj=reader, mode="r|", bufsize=PIECE) as tar:
        for info in tar:
            content = tar.extractfile(info)
            if content is None or not MEMBER.fullmatch(info.name) or info.name in found:
                raise tarfile.TarError
            path = folder / info.name
            private_folder(path.parent)
            hashed = _Hashed(content)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
                while data := hashed.read(PIECE):
                    file.write(data)
            found[info.name] = hashed.sha256.hexdigest()
    return found


class _Kept:
    """A source or sink, with the error that it raised: pyrage passes on nothing but its words."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            data: bytes = self._inner.read(size)
        except BaseException as error:
            self.error = error
            raise
        return data

    def write(self, data: bytes) -> int:
        try:
            self._inner.write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here."""


@contextmanager
def _piped(work: Callable[[Any], None], mode: str, kept: _Kept) -> Iterator[IO[bytes]]:
    """Run ``work`` in a thread at the other end of a pipe; ``mode`` is what it does with its end.

    What the thread met comes first: this side only sees that the pipe broke.
    """
    ends = os.pipe()
    theirs, ours = ends if mode == "rb" else ends[::-1]
    met: list[BaseException] = []

    def run() -> None:
        with suppress(BrokenPipeError), os.fdopen(theirs, mode) as end:
            try:
                work(end)
            except BaseException as error:  # noqa: BLE001 - it is raised on the other side
                # Before this end closes: whoever sees the end of the pipe then sees this, too.
                met.append(error)

    thread = Thread(target=run, name="age")
    thread.start()
    try:
        with os.fdopen(ours, "wb" if mode == "rb" else "rb") as end:
            yield end
    except BaseException:
        if not met:
            raise
    finally:
        thread.join()
    if met:
        raise kept.error or met[0]
