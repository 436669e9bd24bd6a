"""What a code means: what happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """``title`` says what happened; ``advice`` is the next step for whoever reads it."""

    title: str
    advice: str


AGAIN = "It is tried again by itself for a while; after that, ask again."
