"""How large something is, in words."""

from __future__ import annotations

_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_THOUSAND = 1024


def bytes_word(count: int) -> str:
    """``812 bytes``, ``4.0 KB``, ``450 MB``."""
    size, unit = float(count), 0
    while size >= _THOUSAND and unit < len(_UNITS) - 1:
        size, unit = size / _THOUSAND, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit and size % 1 > 0 and size < 10 else f"{size:.0f} {_UNITS[unit]}"  # noqa: PLR2004 - digits
