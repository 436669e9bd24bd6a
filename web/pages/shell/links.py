"""Links in running text: what names one of Pigi's own pages, or an address to write to, leads there."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_NAMED = re.compile(r"(?P<page>(?<![\w./:-])/[a-z.][\w./-]*\w)|(?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)*)")


def linked(text: str) -> Markup:
    """``text`` escaped, with paths of this installation and mail addresses as links; other hosts are left as words."""
    parts, at = Markup(), 0
    for found in _NAMED.finditer(text):
        words = escape(found.group())
        target = words if found["page"] else Markup("mailto:{}").format(found.group())
        parts += escape(text[at : found.start()]) + Markup('<a href="{}">{}</a>').format(target, words)
        at = found.end()
    return parts + escape(text[at:])
