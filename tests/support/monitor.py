"""Every command that Redis is given, for searches of what must not be there."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Monitor(threading.Thread):
    """Hears every command that Redis is given, from the first to the last."""

    def __init__(self, place: Path) -> None:
        super().__init__(daemon=True)
        self.heard = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(place))
        self._socket.sendall(b"MONITOR\r\n")
        self.start()

    def run(self) -> None:
        while data := self._socket.recv(1 << 16):
            # It escapes quotes and whatever is not ASCII; a raw byte stands for itself here.
            self.heard += data.replace(b'\\"', b'"')

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()
