"""What is taken for a secret: the table of values, each saved as the resource in which it would stand."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.resources.saving import check_content, check_words
from pigi.domain.resources.secrets import digest_of, find_in_text
from pigi.errors import Refused
from tests.domain.resources.values import Row, filled, rows, with_checksum

STDIO: dict[str, Any] = {"type": "stdio", "command": "server", "args": [], "environment": []}
UNSEEN = 1 / 50
"""The most that may be missed, and refused for nothing, of values that nothing was tuned to; of the others none is."""


def content_of(row: Row) -> tuple[str, dict[str, Any]]:
    """The resource that has the value in its place."""
    if row.place == "prose":
        return "document", {"title": "T", "body": row.value}
    if row.place == "rule":
        return "settings", {"name": "S", "description": "d", "permissions": {"allow": [row.value]}}
    name, _, value = str(row.value).partition(": " if row.place == "header" else "=")
    entry = {"kind": "plain", "name": name, "value": value}
    transport = {
        "environment": {**STDIO, "environment": [entry]},
        "arguments": {**STDIO, "args": row.value},
        "url": {"type": "http", "url": row.value},
        "header": {"type": "http", "url": "https://mcp.example.net/", "headers": [entry]},
    }
    return "mcp-server", {"name": "s", "description": "d", "transport": transport[row.place]}


def outcome(row: Row) -> str:
    """``refused`` as a secret, ``warned`` of, or ``kept`` without a word; other rules do not matter here."""
    try:
        if row.place == "name":
            check_words({"name": str(row.value)})
            return "kept"
        findings = check_content(*content_of(row)).findings
    except Refused as refusal:
        return "refused" if refusal.code == "secret_found" else "kept"
    return "warned" if any(found.rule == "maybe-a-secret" for found in findings) else "kept"


@pytest.mark.parametrize(
    "part",
    ["trial", "own", "public", "public2", "public3", "public4", "public5", "public6", "public7", "public8", "aside"],
)
def test_secrets_are_refused_and_what_only_resembles_them_is_not(part: str) -> None:
    real, harmless = ([row for row in rows(part) if row.real is kind] for kind in (True, False))
    missed = [row.written for row in real if outcome(row) == "kept"]
    refused = [row.written for row in harmless if outcome(row) == "refused"]
    assert len(real) >= 50
    assert len(harmless) >= 50
    most = UNSEEN if part == "aside" else 0
    assert len(missed) <= most * len(real), missed
    assert len(refused) <= most * len(harmless), refused


def test_the_table_has_every_place_on_both_sides() -> None:
    counts = Counter((row.place, row.real) for row in rows())
    assert len(counts) == 14
    assert sum(counts.values()) >= 95 + 103 + 200


GITHUB = filled("ghp_«A36»")
CHECKED = with_checksum("ghp_", "a1B2c3D4e5" * 3)


def refusal(body: str, *examples: str) -> list[dict[str, Any]]:
    with pytest.raises(Refused) as refused:
        check_content("document", {"title": "T", "body": body}, examples, sign=str)
    assert refused.value.code == "secret_found"
    return refused.value.details["errors"]  # type: ignore[return-value]


def test_a_refusal_names_line_and_kind_and_never_the_value() -> None:
    [flaw] = refusal(f"# Sign in\n\nUse {GITHUB} for it.\n")
    assert (flaw["pointer"], flaw["line"], flaw["kind"]) == ("/body", 3, "GitHub token")
    assert flaw["example"] == digest_of(GITHUB)
    assert GITHUB not in str(flaw)


def test_each_secret_of_a_text_is_named() -> None:
    flaws = refusal(f"a {GITHUB}\npassword: hunter2hunter2\n")
    assert [(flaw["line"], flaw["kind"]) for flaw in flaws] == [(1, "GitHub token"), (2, "a password")]


def test_what_somebody_calls_an_example_is_kept_and_said() -> None:
    checked = check_content("document", {"title": "T", "body": f"\n{GITHUB}"}, [digest_of(GITHUB)])
    assert [(one.pointer, one.line, one.kind) for one in checked.examples] == [("/body", 2, "GitHub token")]
    assert [found.rule for found in checked.findings] == ["declared-example"]


def test_one_example_excuses_no_other_value() -> None:
    other = filled("ghs_«A36»")
    [flaw] = refusal(f"{GITHUB} {other}", digest_of(GITHUB))
    assert flaw["example"] == digest_of(other)


@pytest.mark.parametrize(
    "secret",
    [
        CHECKED,
        with_checksum("npm_", "a1B2c3D4e5" * 3),
        filled("sk_live_«A24»"),
        filled("sk-ant-api03-«u93»AA"),
        filled("pigi_«h32»_«u43»"),
        filled("github_pat_«A22»_«A59»"),
        filled("xoxb-«d12»-«d13»-«A24»"),
        filled("sk-proj-«u40»T3BlbkFJ«u40»"),
        filled("SG.«u22».«u43»"),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA\n",
    ],
    ids=["github", "npm", "stripe", "anthropic", "pigi", "fine-grained", "slack", "openai", "sendgrid", "openssh"],
)
def test_a_shape_that_verifies_is_nobodys_example(secret: str) -> None:
    [flaw] = refusal(secret, digest_of(secret), digest_of(secret.strip()))
    assert "example" not in flaw


def test_names_and_descriptions_hold_no_secrets() -> None:
    with pytest.raises(Refused) as refused:
        check_words({"name": "x", "description": "password: hunter2hunter2"})
    [flaw] = refused.value.details["errors"]  # type: ignore[misc]
    assert (flaw["pointer"], flaw["line"], flaw["kind"]) == ("/description", 1, "a password")
    assert "example" not in flaw


@given(st.text(max_size=500))
def test_looking_for_secrets_never_fails(text: str) -> None:
    for found in find_in_text(text):
        assert 0 <= found.start < found.end <= len(text)


SLOW = [
    "a", "=", "-", "'", '"', "A1b2", "|", "| a |\n|---|\n", 'password is "', "token a ",
    "://a:", "eyJ", "Bearer ", "a.b-", "--token ", "password=", "a://b@", "mysql ", "${", "key | ", "x://h/?a=b&",
    "-----BEGIN PRIVATE KEY-----\n", "password: a1", "é=", "secret: x\n",
]  # fmt: skip


def test_no_text_makes_the_search_slow() -> None:
    find_in_text("The catalogue is loaded once.")
    for piece in SLOW:
        text = (piece * 50_000)[:50_000]
        began = time.thread_time()
        find_in_text(text)
        assert time.thread_time() - began < 0.5, piece[:20]


@pytest.mark.parametrize(
    ("extension", "pointer"),
    [
        ({"env": {"API_KEY": filled("«h32»")}}, "/extensions/acme/env/API_KEY"),
        ({"servers": [{"command": ["run", "--token", filled("«A32»")]}]}, "/extensions/acme/servers/0/command/2"),
        ({"headers/x": {"name": "X-Api-Key", "value": filled("«h40»")}}, "/extensions/acme/headers~1x/value"),
        ({"keys": {GITHUB: True}}, "/extensions/acme/keys"),
        ({"apiKeyHelper": "./bin/key.sh", "deep": [["password: hunter2hunter2"]]}, "/extensions/acme/deep/0/0"),
    ],
    ids=["variable", "arguments", "header", "name", "text"],
)
def test_what_only_a_tool_knows_holds_no_secret_either(extension: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refused, match="secret_found") as refused:
        check_content("document", {"title": "T", "body": "B", "extensions": {"acme": extension}})
    assert [flaw["pointer"] for flaw in refused.value.details["errors"]] == [pointer]  # type: ignore[union-attr,index]


def test_what_only_a_tool_knows_may_refer_to_secrets() -> None:
    extension = {"env": {"API_KEY": "${API_KEY}", "MAX_TOKENS": "4096"}, "args": ["--token-file", "/run/secrets/x"]}
    content = {"title": "T", "body": "B", "extensions": {"acme": extension}}
    assert not [one for one in check_content("document", content).findings if "secret" in one.rule]
