"""Names and labels that people choose: one line of text."""

from __future__ import annotations

import re
from typing import Final

NAME_LENGTH: Final = 120
"""Characters of an organisation's name, a person's name, or a key's label."""

# Controls of ISO 6429 and the line and paragraph separators; surrogates that no encoding takes.
_NOT_IN_A_LINE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")


def is_line(text: str, longest: int = NAME_LENGTH) -> bool:
    """Whether ``text`` is not blank, not longer, and on one line: what `web.http.texts` lets through."""
    return 0 < len(text) <= longest and not text.isspace() and _NOT_IN_A_LINE.search(text) is None
