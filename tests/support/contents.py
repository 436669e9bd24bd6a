"""Contents of each kind that may be saved, and strategies that make more of them."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from pigi.domain.characters import NOT_IN_NAMES
from pigi.domain.names import NAME_LENGTH, is_name
from pigi.domain.resources import RESOURCES, as_json


def whole(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """``content`` with every field of its kind, as it is kept."""
    return as_json(RESOURCES[kind].model.model_validate(content))


AGENT: dict[str, Any] = whole(
    "agent",
    {
        "name": "reviewer",
        "description": "Use it to review changes.",
        "instructions": "## Role\nYou review.",
        "tools": ["Read"],
        "model": "inherit",
        "mcp_servers": [],
    },
)
MCP_SERVER: dict[str, Any] = whole(
    "mcp-server",
    {
        "name": "tracker",
        "description": "Reads issues.",
        "transport": {
            "type": "stdio",
            "command": "uvx",
            "args": ["tracker==1.2.3"],
            "environment": [
                {"kind": "plain", "name": "LANG", "value": "C"},
                {
                    "kind": "secret",
                    "name": "TRACKER_TOKEN",
                    "slot": {"name": "TRACKER_TOKEN", "purpose": "Reads issues.", "set_by": "member"},
                },
            ],
        },
        "startup_timeout_seconds": 30,
        "tool_timeout_seconds": 60,
    },
)
DOCUMENT: dict[str, Any] = whole(
    "document", {"title": "How we test", "body": "Write the test first.", "applies_to": ["src/**/*.py"]}
)
SETTINGS: dict[str, Any] = whole(
    "settings",
    {
        "name": "Careful",
        "description": "Asks before it writes.",
        "permissions": {"allow": ["Read"], "ask": [], "deny": ["Read(./.env)"], "default_mode": "ask"},
        "environment": [],
        "model": "inherit",
    },
)
CONTENTS: dict[str, dict[str, Any]] = {
    "agent": AGENT,
    "mcp-server": MCP_SERVER,
    "document": DOCUMENT,
    "settings": SETTINGS,
}
NAME_FIELDS = {"agent": "name", "mcp-server": "name", "document": "title", "settings": "name"}

GITHUB_TOKEN = "ghp_" + "a1B2" * 9
"""Shaped like a secret; put together so that no scanner mistakes it for a leaked one."""

slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
# Any script, emoji included; what the linter refuses is left out here and refused in tests of its own.
_letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"])
lines = st.text(_letters, min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
names = lines.map(str.strip)
_in_names = st.characters(
    codec="utf-8",
    exclude_categories=["Cc", "Zl", "Zp"],
    exclude_characters="".join(chr(one) for low, high in NOT_IN_NAMES for one in range(low, high + 1)),
)
typed_names = st.text(_in_names, min_size=1, max_size=NAME_LENGTH).map(str.strip).filter(is_name)
"""Whatever may be typed as a name of anything, and reaches what comes after."""
proses = st.lists(lines, min_size=1, max_size=5).map("\n".join)
words = st.text(string.ascii_letters, min_size=1, max_size=10)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
extensions = st.dictionaries(slugs, st.dictionaries(words, _json, max_size=3), max_size=2)

agents = st.fixed_dictionaries(
    {"name": slugs, "description": lines, "instructions": proses},
    optional={
        "tools": st.lists(words, max_size=3),
        "mcp_servers": st.lists(slugs, max_size=3),
        "extensions": extensions,
    },
)
documents = st.fixed_dictionaries(
    {"title": lines, "body": proses}, optional={"applies_to": st.lists(words), "extensions": extensions}
)
settings_sets = st.fixed_dictionaries(
    {"name": names, "description": lines},
    optional={"permissions": st.fixed_dictionaries({}, optional={"ask": st.lists(words, max_size=4)})},
)
_slots = st.fixed_dictionaries({"name": words, "purpose": lines}, optional={"set_by": st.just("administrator")})
_headers = st.fixed_dictionaries({"kind": st.just("secret"), "name": words, "slot": _slots})
servers = st.fixed_dictionaries(
    {
        "name": slugs,
        "description": lines,
        "transport": st.fixed_dictionaries(
            {"type": st.just("http"), "url": words.map("https://{}.example/".format)},
            optional={"headers": st.lists(_headers, max_size=2)},
        ),
    },
    optional={"tool_timeout_seconds": st.integers(1, 3600)},
)
any_content = st.one_of(
    st.tuples(st.just("agent"), agents),
    st.tuples(st.just("mcp-server"), servers),
    st.tuples(st.just("document"), documents),
    st.tuples(st.just("settings"), settings_sets),
)
"""A kind and content that a person could have written for it; the linter may still refuse some."""
