"""Values that look like secrets, and of which somebody said that they are examples."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, ConfigDict

DIGEST_LENGTH: Final = 22
DIGEST: Final = re.compile(rf"[A-Za-z0-9_-]{{{DIGEST_LENGTH}}}")
MOST_EXAMPLES: Final = 50
"""Examples that one revision may have; whoever needs more is writing a list of keys."""


Sign = Callable[[str], str]
"""Makes of a `digest_of` what names the value to whoever was refused; only one installation can make it."""


class Example(BaseModel):
    """A value that somebody called an example. ``example`` names it without holding it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    example: str
    pointer: str
    line: int
    kind: str


def digest_of(value: str) -> str:
    """What names ``value``: the first 128 bits of a SHA-256, as 22 characters of base64url.

    A short value could be guessed from it, so it stands only where the value stands too: with the revision that holds
    it. Whoever is refused is told a `Sign` of it.
    """
    whole = hashlib.sha256(b"pigi example\0" + value.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(whole[:16]).decode().rstrip("=")
