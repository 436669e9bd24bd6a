"""The files store: objects under names with slashes, in a local directory or whatever speaks S3, behind one URL.

Objects are written whole: a reader sees what was there before or all of the new one, and a name that was never
written to its end does not exist. Which one it is, obstore knows; no other module does.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from pigi.errors import Misconfigured, Temporary
from pigi.store.files import private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1024 * 1024
"""Bytes read at a time by `Objects.read`."""
PART = 16 * 1024 * 1024
"""Bytes held back by `Objects.writing` before a part of an object goes to the store: of 10,000 parts at most."""
UNFINISHED = re.compile(r"#[0-9]+")
"""What obstore adds to the name of a file that it is still writing, and hides from lists."""
TIMEOUT = "30s"


class FilesAwayError(Temporary):
    """The files store did not do what was asked: out of reach, full, or not allowed."""

    def __init__(self) -> None:
        super().__init__("files_away")


@dataclass(frozen=True)
class Found:
    """An object: its name and its size in bytes."""

    name: str
    size: int


class Sink(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes, /) -> Any:
        """Take all of ``data``."""


class Objects:
    """The objects below one URL. Names are relative, such as ``organisations/ID/exports/ID/1``.

    Every method raises FilesAwayError when the store cannot be asked.
    """

    def __init__(self, url: str) -> None:
        self._store = _opened(url)

    def put(self, name: str, data: bytes) -> None:
        """Write ``name`` whole; what was there is replaced."""
        with _known():
            obstore.put(self._store, name, data)

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """What is written in the block becomes ``name``, of any size, once it ends; if it raises, nothing does."""
        with _known():
            writer = obstore.open_writer(self._store, name, buffer_size=PART)
        yield _Sink(writer)
        with _known():
            writer.close()

    def discard_unfinished(self, folder: str) -> None:
        """Remove what processes that died left half written in ``folder``; call it while nobody writes there.

        An S3 store has a rule of its own for uploads that were never completed (docs/operations.md).
        """
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            for file in (Path(self._store.prefix) / folder).glob("*#*"):
                if UNFINISHED.fullmatch(file.name[file.name.rindex("#") :]):
                    file.unlink(missing_ok=True)

    def get(self, name: str) -> bytes | None:
        """All of a small object; None if there is none."""
        with _known():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except (FileNotFoundError, NotFoundError):
                return None

    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes from ``start``, in pieces; raises FilesAwayError also when the object is gone."""
        for offset in range(start, start + length, PIECE):
            with _known():
                yield bytes(
                    obstore.get_range(self._store, name, start=offset, length=min(PIECE, start + length - offset))
                )

    def find(self, prefix: str) -> Iterator[Found]:
        """Everything in the folder ``prefix``, at any depth; an empty prefix stands for the whole store."""
        with _known():
            for batch in obstore.list(self._store, prefix=prefix or None):
                yield from (Found(entry["path"], entry["size"]) for entry in batch)

    def remove(self, prefix: str) -> int:
        """Remove everything in the folder ``prefix``, or the object of that name; returns how many there were."""
        names = [found.name for found in self.find(prefix)] or ([prefix] if self.size(prefix) is not None else [])
        with _known():
            for name in names:
                try:
                    obstore.delete(self._store, name)
                except (FileNotFoundError, NotFoundError):
                    continue
        return len(names)

    def size(self, name: str) -> int | None:
        """The size of an object in bytes; None if there is none."""
        with _known():
            try:
                return int(obstore.head(self._store, name)["size"])
            except (FileNotFoundError, NotFoundError):
                return None


class _Sink:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, data: bytes) -> int:
        with _known():
            self._writer.write(data)
        return len(data)

    def flush(self) -> None:
        """Parts go out when they are full."""


class _known:  # noqa: N801 - a context manager, used like a function
    """Turns what obstore and the file system raise into FilesAwayError, which holds no address."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (BaseError, OSError)):
            raise FilesAwayError from None


def _opened(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return LocalStore(private_folder(Path(unquote(parts.path))), automatic_cleanup=True)
    if parts.scheme == "s3" and parts.netloc:
        return _s3(parts.netloc, parts.path.strip("/"), dict(parse_qsl(parts.query)))
    raise Misconfigured(["FILES_URL must be file:///an/absolute/folder or s3://bucket/prefix?region=...&endpoint=..."])


def _s3(bucket: str, prefix: str, options: dict[str, str]) -> Any:
    """Who may read and write comes from AWS_ACCESS_KEY_ID and its fellows, or from the machine."""
    unknown = options.keys() - {"region", "endpoint"}
    if unknown:
        raise Misconfigured([f"FILES_URL: s3:// takes region and endpoint, not {', '.join(sorted(unknown))}"])
    endpoint = options.get("endpoint", "")
    client: Any = {"timeout": TIMEOUT, "allow_http": endpoint.startswith("http://")}
    config: Any = {"endpoint": endpoint} if endpoint else {}
    return S3Store(
        bucket, prefix=prefix or None, region=options.get("region", "eu-central-1"), client_options=client, **config
    )
