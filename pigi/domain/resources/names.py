"""Turning the name that a person typed into the name that a resource may carry."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from pigi.domain.resources.fields import LABEL_LENGTH, SLUG_LENGTH


def slug(name: str, fallback: str) -> str:
    """``name`` as lower-case ASCII words joined by hyphens, at most 64 characters.

    Claude Code accepts lower-case letters and hyphens, and the other tools accept that and more. A name with
    no Latin letter or digit becomes ``fallback`` and eight characters of its hash, so that two stay apart.
    """
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", folded)
    short = "-".join(words)[:SLUG_LENGTH].strip("-")
    if short:
        return short
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"{fallback}-{digest[:8]}"


def label(name: str, fallback: str) -> str:
    """``name`` on one line with single spaces, at most 120 characters; ``fallback`` if nothing is left."""
    kept = "".join(c if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} else " " for c in name)
    return " ".join(kept.split())[:LABEL_LENGTH].strip() or fallback
