"""Drafts, put together from the name and the purpose by fixed rules.

They are meant to be read and edited like real ones, and they claim nothing about how they were written. The
kind of draft is chosen by the ``title`` of the schema; any other schema is filled with the least that fits.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any, Final

Draft = dict[str, Any]

_TAGGED = re.compile(r"<name>(.*?)</name>\s*<purpose>(.*?)</purpose>", re.DOTALL)
_CHANGES = re.compile(
    r"\b(?:writ|fix|add|chang|refactor|generat|creat|migrat|updat|implement|translat)\w*", re.IGNORECASE
)
_RUNS = re.compile(r"\b(?:test|build|run|lint|benchmark|release|deploy)\w*", re.IGNORECASE)
# Fillers, tags and variation selectors, which no category tells apart, and of them what emoji and some scripts need.
_HIDDEN = re.compile("[\u115f\u1160\u3164\uffa0\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
_FAINT = re.compile("[\\s\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]*")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?")
# Remote servers whose makers publish these addresses.
_SERVERS: Final = {
    "github": "https://api.githubcopilot.com/mcp/",
    "sentry": "https://mcp.sentry.dev/mcp",
    "linear": "https://mcp.linear.app/mcp",
    "notion": "https://mcp.notion.com/mcp",
    "stripe": "https://mcp.stripe.com",
}
_GLOBS: Final = {
    "python": "**/*.py", "typescript": "**/*.ts", "javascript": "**/*.js", "rust": "**/*.rs", "go": "**/*.go",
    "sql": "**/*.sql", "css": "**/*.css", "terraform": "**/*.tf",
}  # fmt: skip

_AGENT: Final = """\
## Role

You are {name}. You were given one job: {purpose}

Stay with that job. If a request goes beyond it, say so and hand it back.

## How you work

1. Read the request and restate its goal in one sentence. If two readings are possible, ask before you start.
2. Find the files that matter with a search; read them in full before you judge or change anything.
3. Look at how the project already solves similar problems, and follow its conventions.
4. {action}
5. Check the result against the goal from step 1, and against each point of the next section.

## What you check

- Every statement that you make is backed by a file and a line, or by the output of a command.
- Edge cases: empty input, large input, missing permissions, and failure half-way.
- Names, comments and documents still say what the code does.
- Nothing secret appears in code, logs or your answer.

## What you hand back

- One paragraph with the outcome, first.
- A list of findings or changes, the most important first, each with file and line, reason and suggestion.
- What you did not look at, and what you are unsure about.

## Limits

- {limit}
- Do not install packages, push commits or contact outside services.
- Stop and ask when the task needs a decision that the project's documents do not settle.
"""

_DOCUMENT: Final = """\
## Purpose

{purpose}

## Rules

- Follow the conventions of the surrounding files before any general preference.
- Keep each change to one subject, and say in its description why it is needed.
- Cover every change in behaviour with a test that fails without it.
- Handle errors where something can be done about them; never hide them.
- Keep secrets out of code, logs, tests and documents. Use the environment's secret slots.

## Before you finish

1. Run the project's tests and linters, and fix what they report.
2. Read the whole change once more as its reviewer would.
3. Update the documents that describe what has changed.

## When a rule cannot be followed

Say which rule, why, and what you did instead. A person decides.

## To decide

- To decide: the commands that run the tests and the linters.
- To decide: who approves exceptions to these rules.
"""


def read_request(text: str) -> tuple[str, str]:
    """The name and the purpose in a user's turn; text without the delimiters is all purpose."""
    match = _TAGGED.search(text)
    if match is None:
        return "draft", text
    return html.unescape(match[1]), html.unescape(match[2])


def write_draft(schema: Draft, name: str, purpose: str) -> object:
    """A draft that fits ``schema``, for a resource called ``name`` that serves ``purpose``."""
    writers = {"agent": _agent, "mcp-server": _mcp_server, "document": _document, "settings": _settings}
    writer = writers.get(str(schema.get("title")))
    return writer(_line(name, 120), _paragraph(purpose)) if writer else _least(schema)


def _line(text: str, length: int) -> str:
    """``text`` on one line, of at most ``length`` characters of which at least one can be seen."""
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Cf", "Zl", "Zp"} else c for c in text)
    line = " ".join(_HIDDEN.sub(" ", kept).split())[:length].strip()
    return "Untitled" if _FAINT.fullmatch(line) else line


def _paragraph(purpose: str) -> str:
    text = _line(purpose, 2000)
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."


def _sentence(purpose: str, length: int = 240) -> str:
    first = re.split(r"(?<=[.!?。])\s", purpose, maxsplit=1)[0]
    return first if len(first) <= length else first[:length].rsplit(" ", 1)[0] + " …"


def _slug(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded))[:64].strip("-") or "draft"
    # A model that is told where files live gives none the name of a device.
    return f"{slug}-draft" if re.fullmatch("con|prn|aux|nul|(com|lpt)[0-9]", slug) else slug


def _agent(name: str, purpose: str) -> Draft:
    changes, runs = bool(_CHANGES.search(purpose)), bool(_RUNS.search(purpose))
    action = "Make the smallest change that reaches the goal." if changes else "Note each finding as you meet it."
    limit = "Change only files that the goal needs." if changes else "Do not change any file; report instead."
    tools = ["Read", "Grep", "Glob", *(["Edit", "Write"] if changes else []), *(["Bash"] if runs else [])]
    return {
        "name": _slug(name),
        "description": _line(f"Use for work that serves this purpose: {_sentence(purpose)}", 1000),
        "instructions": _AGENT.format(name=name, purpose=purpose, action=action, limit=limit),
        "tools": tools,
        "model": "inherit",
        "mcp_servers": [],
    }


def _mcp_server(name: str, purpose: str) -> Draft:
    text = f"{name} {purpose}".lower()
    given = _ADDRESS.search(purpose)
    known = next((url for word, url in _SERVERS.items() if word in text), None)
    url = given[0] if given else known or "https://mcp.example.com/mcp"
    note = "" if given or known else " The address is an example and must be set."
    variable = _slug(name).replace("-", "_").upper().lstrip("0123456789_") or "SERVICE"
    reason = "Signs in to the server with the least rights that its tools need."
    slot = {"name": f"{variable[:100]}_TOKEN", "purpose": reason}
    header = {"kind": "secret", "name": "Authorization", "scheme": "bearer", "slot": {**slot, "set_by": "member"}}
    return {
        "name": _slug(name),
        "description": _line(_sentence(purpose) + note, 1000),
        "transport": {"type": "http", "url": url, "headers": [header]},
        "startup_timeout_seconds": 30,
        "tool_timeout_seconds": 60,
    }


def _document(name: str, purpose: str) -> Draft:
    globs = [glob for word, glob in _GLOBS.items() if re.search(rf"\b{word}\b", purpose, re.IGNORECASE)]
    return {"title": name, "body": _DOCUMENT.format(purpose=purpose), "applies_to": globs}


def _settings(name: str, purpose: str) -> Draft:
    plan = re.search(r"\b(?:read[- ]only|review|plan)\b", purpose, re.IGNORECASE)
    permissions = {
        "allow": ["Read", "Grep", "Glob", "Bash(git status:*)", "Bash(git diff:*)", "Bash(git log:*)"],
        "ask": ["Bash(git push:*)", "Bash(npm install:*)", "Bash(pip install:*)", "WebFetch"],
        "deny": ["Read(./.env)", "Read(./.env.*)", "Read(./secrets/**)", "Bash(rm -rf:*)", "Bash(git push --force:*)"],
        "default_mode": "plan" if plan else "ask",
    }
    description = _line(_sentence(purpose), 1000)
    return {"name": name, "description": description, "permissions": permissions, "environment": [], "model": "inherit"}


def _least(schema: Draft) -> object:
    """The least value that fits any schema of the supported subset without references."""
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return _least(schema["anyOf"][0])
    if schema.get("type") == "object":
        return {name: _least(schema["properties"][name]) for name in schema.get("required", [])}
    if schema.get("type") == "array":
        return [_least(schema["items"])] * int(schema.get("minItems", 0))
    return {"string": "text", "integer": 1, "number": 1, "boolean": False}.get(str(schema.get("type")))
