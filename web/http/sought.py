"""What a request looked for, by kind and id, as its own address says: a 404 names it.

Nothing here looks at what there is. So what somebody else has and what nobody has read the same.
"""

from __future__ import annotations

import re
from typing import Final

from flask import request

from pigi.flaws import may_repeat

NOUNS: Final = {
    "organisation": "organisation",
    "project": "project",
    "generation": "generation",
    "job": "job",
    "import_id": "import",
    "export": "export",
    "link": "link to Stripe",
    "key": "API key",
    "account": "member",
    "invitation": "invitation",
    "session": "session",
    "request": "request about data",
    "ticket": "message",
    "ticket_number": "message",
    "hold": "legal hold",
    "receipt": "receipt",
    "control": "control",
    "number": "revision",
    "code": "code",
}
"""By the names that paths give their parts. Tokens of links are not among them: they are secrets."""
RESOURCES: Final = {"agents": "agent", "mcp-servers": "MCP server", "documents": "document", "settings": "settings"}
_PART = re.compile(r"([\w-]+)/<(?:\w+:)?(\w+)>|<(?:\w+:)?(\w+)>")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def sought() -> str:
    """Such as ``agent 0193… of project 0193… of organisation 0193…``; empty if the address names nothing."""
    if request.url_rule is None:
        return ""
    given = {**request.args.to_dict(), **(request.view_args or {})}
    found = []
    for match in _PART.finditer(request.url_rule.rule):
        name = match[2] or match[3]
        if name == "resource":
            noun = RESOURCES.get(str(given.get("collection", match[1])), "resource")
        elif name == "number" and "policy" in request.path:
            noun = "version"
        else:
            noun = NOUNS.get(name, "")
        if noun and _said_back(str(given.get(name, ""))):
            found.append(f"{noun} {given[name]}")
    if not found and _said_back(given.get("organisation", "")):
        found.append(f"organisation {given['organisation']}")
    return " of ".join(reversed(found))


def _said_back(given: str) -> bool:
    return _SAFE.fullmatch(given) is not None and may_repeat(given)


def nothing_found(what: str) -> str:
    """That there is no ``what``, in a sentence; it may belong to somebody else, which is nobody's business."""
    if not what:
        return "There is nothing at this address, or it is not yours."
    part = _part_of_it()
    return (
        f"There is no {what}, or no {part} of it, or it is not yours."
        if part
        else f"There is no {what}, or it is not yours."
    )


def _part_of_it() -> str:
    """What a GET asks for of the last thing that its path names, such as ``file`` or ``deletion``."""
    last = request.path.rpartition("/")[2] if request.view_args and request.method == "GET" else ""
    return last.replace("-", " ") if request.url_rule and request.url_rule.rule.endswith(f"/{last}") else ""
