"""How long a client may take, and how much it may send, in one place. What a process holds is in `web.http.budget`."""

from __future__ import annotations

from typing import Final

HEAD_SECONDS: Final = 10.0
"""How long a request line and its headers may take, from the connection or their first byte on."""
IDLE_SECONDS: Final = 75.0
"""How long a connection may be kept without a request: longer than nginx keeps its own (60), which so closes first."""
LINGER_SECONDS: Final = 2.0
"""How long a client that was refused while it sent may take to read why; what it sends meanwhile is thrown away."""
BODY_SECONDS: Final = 10.0
"""How long a body may take, from its headers on."""
BYTES_A_SECOND: Final = 64 * 1024
"""The pace that gives a client longer, where a body may be so large."""
READ_SECONDS: Final = 30.0
"""How long a thread's read of a streamed body may take. Uploads read a mebibyte at a time, so that the slowest has
34 KiB a second."""
READER_SECONDS: Final = 20.0
"""How long a reader may take nothing of what waits for it."""
READER_GRACE: Final = 30.0
READER_BYTES_A_SECOND: Final = 4 * 1024
"""The least pace of a reader, over all that waited for it, once it has waited for `READER_GRACE` seconds."""
SWEEP_SECONDS: Final = 0.5
"""Between looks at all deadlines, and so how exact they are."""

LARGE_BYTES: Final = 256 * 1024
"""Larger bodies, and those of unknown size where a larger one may come, are counted by their bytes."""
HEAD_BYTES: Final = 32 * 1024
"""Most bytes of a request line and headers; cookies and a long `If-Match` are far below."""
FRAMES_TO_BODY: Final = 32
"""Most bytes on the wire for each of a body, beyond as many as a head may have: sizes of chunks, extensions, trailers.
Chunks of a byte each take 6."""
MOST_HEADERS: Final = 100
MOST_PIPELINED: Final = 16
"""Requests that may wait on one connection for the answer before them."""

PIECE: Final = 64 * 1024
"""Bytes that are handed to the kernel at a time, and the most of an answer that is copied."""
WINDOW: Final = 256 * 1024
"""Bytes of a streamed answer that may wait for the reader before the thread that makes it waits too."""
SEND_BUFFER: Final = 256 * 1024
"""The kernel's own buffer of a connection, which it would let grow to megabytes of what nobody reads."""
AHEAD: Final = 1024 * 1024
"""Bytes of a streamed body that may wait for the thread that takes them."""

BACKLOG: Final = 4096
"""Connections that the kernel may hold for a process that is busy; it has a bound of its own (net.core.somaxconn)."""
DESCRIPTORS_ELSE: Final = 512
"""File descriptors that are left for databases, files and the broker."""
