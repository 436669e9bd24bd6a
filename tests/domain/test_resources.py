"""Drafts: what is taken, what is refused, and that nothing of a refused text can be seen."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from anthropic import transform_schema
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pigi.domain.resources import (
    DRAFT_LENGTH,
    RESOURCES,
    as_json,
    expected_name,
    json_schema,
    lint_draft,
    name_draft,
    parse_draft,
)
from pigi.domain.resources.saving import check_content
from pigi.errors import Permanent
from tests.support.contents import whole

if TYPE_CHECKING:
    from pydantic import BaseModel

SLOT = {"name": "GITHUB_TOKEN", "purpose": "Reads issues.", "set_by": "member"}
GOOD: dict[str, dict[str, Any]] = {
    "agent": {
        "name": "code-reviewer",
        "description": "Use after a change, to review it.",
        "instructions": "## Role\n\nYou review changes.",
        "tools": ["Read", "Grep", "Bash(git diff:*)", "mcp__github__*"],
        "model": "inherit",
        "mcp_servers": ["github"],
    },
    "mcp-server": {
        "name": "github",
        "description": "Reads issues and pull requests.",
        "transport": {
            "type": "http",
            "url": "https://mcp.example.com/mcp",
            "headers": [{"kind": "secret", "name": "Authorization", "scheme": "bearer", "slot": SLOT}],
        },
        "startup_timeout_seconds": 30,
        "tool_timeout_seconds": 60,
    },
    "document": {"title": "Code style", "body": "## Rules\n\n- Be brief.", "applies_to": ["src/**/*.py"]},
    "settings": {
        "name": "Team defaults",
        "description": "What may run without asking.",
        "permissions": {"allow": ["Read"], "ask": ["WebFetch"], "deny": ["Read(./.env)"], "default_mode": "ask"},
        "environment": [{"kind": "plain", "name": "LANG", "value": "C.UTF-8"}],
        "model": "inherit",
    },
}
NAMES = {"agent": "Code Reviewer", "mcp-server": "GitHub", "document": "Code style", "settings": "Team defaults"}
KINDS = sorted(GOOD)


def _draft(kind: str, **changes: object) -> BaseModel:
    return parse_draft(kind, json.dumps(GOOD[kind] | changes))


def _is_refused(kind: str, text: str) -> bool:
    refusal = None
    try:
        parse_draft(kind, text)
    except Permanent as error:
        refusal = error
    assert refusal is None or refusal.args == ("malformed",)
    assert refusal is None or (refusal.__cause__, refusal.__context__) == (None, None)
    return refusal is not None


def test_the_four_kinds_have_their_wire_names() -> None:
    assert sorted(RESOURCES) == ["agent", "document", "mcp-server", "settings"]
    assert all(kind.wire == wire for wire, kind in RESOURCES.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_draft_survives_a_round_trip(kind: str) -> None:
    draft = _draft(kind)
    assert as_json(draft) == whole(kind, GOOD[kind])
    assert parse_draft(kind, json.dumps(as_json(draft))) == draft
    assert lint_draft(kind, draft, NAMES[kind]) == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"text"', "{", "{}", "[" * 50_000, '{"a":' * 50_000, "\ud800", "\0"]
)
def test_rubbish_is_malformed(kind: str, text: str) -> None:
    assert _is_refused(kind, text)


@pytest.mark.parametrize("kind", KINDS)
def test_text_around_the_object_is_malformed(kind: str) -> None:
    assert _is_refused(kind, "Here it is: " + json.dumps(GOOD[kind]))
    assert _is_refused(kind, json.dumps(GOOD[kind])[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_beyond_the_limit_is_malformed(kind: str) -> None:
    assert _is_refused(kind, json.dumps(GOOD[kind]) + " " * DRAFT_LENGTH)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", ["hooks", "permissionMode", "permission_mode", "headersHelper", "apiKeyHelper", "id"])
def test_no_draft_can_carry_a_field_of_its_own(kind: str, field: str) -> None:
    assert _is_refused(kind, json.dumps(GOOD[kind] | {field: "x"}))


def test_no_mode_switches_approval_off() -> None:
    permissions = GOOD["settings"]["permissions"] | {"default_mode": "bypassPermissions"}
    assert _is_refused("settings", json.dumps(GOOD["settings"] | {"permissions": permissions}))


def test_a_secret_entry_has_no_place_for_a_value() -> None:
    entry = {"kind": "secret", "name": "TOKEN", "slot": SLOT | {"value": "x"}}
    assert _is_refused("settings", json.dumps(GOOD["settings"] | {"environment": [entry]}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Code Reviewer"),
        ("name", "-x"),
        ("name", "a" * 129),
        ("name", "a/b"),
        ("name", ".a"),
        ("name", "a."),
        ("name", "a "),
        ("name", "Con.v2"),
        ("name", "lpt1"),
        ("name", 1),
        ("description", "x" * 8_001),
        ("instructions", "a\0b"),
        ("instructions", "\x1b[2J"),
        ("tools", "Read, Grep"),
        ("tools", ["Read\nhooks: x"]),
        ("tools", [" "]),
        ("tools", ["Read"] * 257),
        ("denied_tools", ["a\u2028b"]),
        ("max_turns", 0),
        ("memory", "everywhere"),
        ("model", ""),
        ("model", "opus\nhooks: x"),
    ],
)
def test_values_outside_their_limits_are_malformed(field: str, value: object) -> None:
    assert _is_refused("agent", json.dumps(GOOD["agent"] | {field: value}))


@pytest.mark.parametrize("url", ["mcp.example.com", "file:///etc/passwd", "https://", "https://a b/", "javascript:x"])
def test_a_server_is_reached_over_http_only(url: str) -> None:
    transport = {"type": "http", "url": url, "headers": []}
    assert _is_refused("mcp-server", json.dumps(GOOD["mcp-server"] | {"transport": transport}))


REAL = [
    ("agent", {"name": "dotnet-framework-4.8-expert"}),
    ("agent", {"description": ""}),
    ("agent", {"name": "Snake_Case", "display_name": "Wise snake 🐍"}),
    ("agent", {"description": "Use it when.\r\n\n<example>\nContext: x\nhooks: y\n</example>\n" + "x" * 7_000}),
    ("agent", {"tools": ["edit/editFiles", "github/*", "microsoft.docs.mcp/*", "Microsoft Docs", "mcp__a__b", "*"]}),
    ("agent", {"tools": ["Bash(git:*)", "Task(agent-x)", "@mcp"], "denied_tools": ["Write"]}),
    ("agent", {"model": "Claude Sonnet 4.5 (copilot)", "fallback_models": ["GPT-5 (copilot)", "vendor/model:free"]}),
    (
        "agent",
        {"effort": "xhigh", "max_turns": 12, "memory": "project", "skills": ["plugin:skill"], "background": True},
    ),
    (
        "agent",
        {"isolation": "worktree", "color": "#FF8800", "argument_hint": "[file] | all", "mcp_servers": ["io.x/y"]},
    ),
    ("document", {"description": "When to\nread it.", "applies_when": "model-decision", "applies_to": []}),
    ("document", {"body": "\N{RIGHT-TO-LEFT MARK}\u0645\u200c\u0646 👩\u200d🚀 co\u00adop\r\nmixed\nend\r"}),
    ("document", {"body": "🐘" * 200_000}),
]


@pytest.mark.parametrize(("kind", "changes"), REAL)
def test_what_real_files_hold_is_kept_as_it_is(kind: str, changes: dict[str, Any]) -> None:
    content = whole(kind, GOOD[kind]) | changes
    assert as_json(RESOURCES[kind].model.model_validate(content)) == content
    assert json.loads(check_content(kind, content).text) == content


def test_a_document_of_before_applies_with_its_globs() -> None:
    assert as_json(_draft("document"))["applies_when"] == "glob"
    assert as_json(_draft("document", applies_to=[]))["applies_when"] == "always"
    assert as_json(_draft("document", applies_when="manual"))["applies_when"] == "manual"


def test_a_control_is_told_by_line_and_column() -> None:
    with pytest.raises(ValidationError, match=r"U\+0007.* line 3, column 2"):
        RESOURCES["document"].model.model_validate(GOOD["document"] | {"body": "a\r\nb\rc\x07"})


def test_a_byte_order_mark_in_front_is_no_part_of_the_text() -> None:
    assert as_json(_draft("document", body="\ufeff# Rules"))["body"] == "# Rules"
    assert _is_refused("document", json.dumps(GOOD["document"] | {"body": "\ufeff"}))


def test_line_endings_stay_as_they_were_written() -> None:
    assert as_json(_draft("document", body="a\r\nb\rc\nd"))["body"] == "a\r\nb\rc\nd"


def test_a_refusal_shows_nothing_of_the_text() -> None:
    marker = "marker-phrase-4711"
    for text in (marker, json.dumps(GOOD["agent"] | {"name": marker + " "}), json.dumps({marker: 1})):
        try:
            parse_draft("agent", text)
        except Permanent:
            assert marker not in traceback.format_exc()
        else:
            pytest.fail("it was taken")


@given(st.sampled_from(KINDS), st.one_of(st.text(), st.binary().map(lambda data: data.decode("latin-1"))))
def test_rubbish_never_raises_anything_else(kind: str, text: str) -> None:
    assert _is_refused(kind, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(KINDS), st.data())
def test_a_draft_with_one_changed_field_is_taken_whole_or_refused(kind: str, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(GOOD[kind])))
    text = json.dumps(GOOD[kind] | {field: data.draw(JSON)})
    if not _is_refused(kind, text):
        draft = parse_draft(kind, text)
        assert parse_draft(kind, json.dumps(as_json(draft))) == draft
        lint_draft(kind, draft, "x")


@given(st.text(min_size=1, max_size=400))
def test_any_prose_survives_a_round_trip(body: str) -> None:
    text = json.dumps(GOOD["document"] | {"body": body})
    if not _is_refused("document", text):
        draft = parse_draft("document", text)
        assert parse_draft("document", json.dumps(as_json(draft))) == draft


@given(st.sampled_from(KINDS), st.text())
def test_a_draft_takes_the_name_that_was_asked_for(kind: str, name: str) -> None:
    draft = name_draft(kind, _draft(kind), name)
    assert "name-differs" not in {finding.rule for finding in lint_draft(kind, draft, name)}
    assert parse_draft(kind, json.dumps(as_json(draft))) == draft


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("agent", "Code Reviewer", "code-reviewer"),
        ("agent", "  --Über_Prüfer!! ", "uber-prufer"),
        ("agent", "CSharpExpert", "CSharpExpert"),
        ("agent", " 4.1-Beast ", "4.1-Beast"),
        ("agent", "NUL", "nul-agent"),
        ("agent", "a " * 70, "-".join("a" * 32)),
        ("mcp-server", "GitHub (EU)", "github-eu"),
        ("document", "  Code\n style ", "Code style"),
        ("document", "代码规范", "代码规范"),
        ("settings", "\0", "Settings"),
    ],
)
def test_names_become_slugs_where_the_kind_needs_one(kind: str, name: str, expected: str) -> None:
    assert expected_name(kind, name) == expected


def test_names_without_latin_letters_stay_apart() -> None:
    first, second = expected_name("agent", "审查"), expected_name("agent", "测试")
    assert first != second
    assert first.startswith("agent-")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_what_structured_output_accepts(kind: str) -> None:
    schema = json_schema(kind)
    assert transform_schema(schema) == schema
    assert schema["title"] == kind
    text = json.dumps(schema)
    assert all(f'"{keyword}"' not in text for keyword in ("$ref", "oneOf", "pattern", "maxLength", "default"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_of_a_schema_is_closed_and_complete(kind: str) -> None:
    def visit(schema: dict[str, Any]) -> None:
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])
        for child in (*schema.get("properties", {}).values(), *schema.get("anyOf", [])):
            visit(child)
        if "items" in schema:
            visit(schema["items"])

    visit(json_schema(kind))


def test_a_schema_is_a_copy() -> None:
    json_schema("agent").clear()
    assert json_schema("agent")


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_told_what_every_field_means(kind: str) -> None:
    properties = json_schema(kind)["properties"]
    assert all(
        "description" in schema or schema.get("type") == "object" or "anyOf" in schema for schema in properties.values()
    )
