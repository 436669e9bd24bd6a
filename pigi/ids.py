"""Identifiers: UUID version 7 (RFC 9562, section 5.7), so that rows sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def new_id() -> str:
    """A fresh identifier in the usual 36-character form."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    number = (number & ~(0xF << 76)) | (0x7 << 76)
    number = (number & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=number))


def first_id(moment: datetime) -> str:
    """The least identifier that could have been made at ``moment``, to the millisecond: ids sort by time."""
    return str(uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80))


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of an identifier; anything else is never looked up."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
