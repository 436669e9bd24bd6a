"""What may be saved, and how a refusal speaks of content without repeating it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pigi.domain.resources import RESOURCES
from pigi.domain.resources.saving import check_content, check_words, warnings_of
from pigi.errors import Refused
from tests.support.contents import AGENT, CONTENTS, DOCUMENT, GITHUB_TOKEN, MCP_SERVER, any_content

MARKER = "marker-7f3a9c"


def refusal(kind: str, content: Any) -> tuple[str, list[dict[str, str]]]:
    with pytest.raises(Refused) as refused:
        check_content(kind, content)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return refused.value.code, refused.value.details["errors"]  # type: ignore[return-value]


def changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with ``value`` at a JSON pointer."""
    made = copy.deepcopy(content)
    *parts, last = path.strip("/").split("/")
    place: Any = made
    for part in parts:
        place = place[int(part) if isinstance(place, list) else part]
    place[int(last) if isinstance(place, list) else last] = value
    return made


@pytest.mark.parametrize("kind", list(RESOURCES))
def test_good_content_is_kept_as_it_is(kind: str) -> None:
    checked = check_content(kind, CONTENTS[kind])
    assert json.loads(checked.text) == CONTENTS[kind]
    assert checked.name in CONTENTS[kind].values()
    assert checked.findings == ()


@given(any_content)
def test_what_was_saved_can_be_saved_again_and_is_the_same(written: tuple[str, dict[str, Any]]) -> None:
    kind, content = written
    try:
        once = check_content(kind, content)
    except Refused:
        assume(False)
    again = check_content(kind, json.loads(once.text))
    assert (again.text, again.name, again.findings) == (once.text, once.name, once.findings)


@given(any_content)
def test_saving_keeps_every_field_that_was_written(written: tuple[str, dict[str, Any]]) -> None:
    kind, content = written
    try:
        kept = json.loads(check_content(kind, content).text)
    except Refused:
        assume(False)
    assert {name: kept[name] for name in content if name not in {"transport", "permissions"}} == {
        name: value for name, value in content.items() if name not in {"transport", "permissions"}
    }


FLAWS = [
    ("agent", changed(AGENT, "/name", f"Not {MARKER}"), "/name"),
    ("agent", changed(AGENT, "/tools", MARKER), "/tools"),
    ("agent", changed(AGENT, "/tools", ["Read", f"{MARKER}\n"]), "/tools/1"),
    ("agent", changed(AGENT, "/nam", MARKER), "/nam"),
    ("agent", changed(AGENT, "/stdio", MARKER), "/stdio"),
    ("agent", {"name": "a", "description": "d"}, "/instructions"),
    ("agent", [MARKER], ""),
    ("agent", MARKER, ""),
    ("agent", None, ""),
    ("document", changed(DOCUMENT, "/body", 3), "/body"),
    ("document", changed(DOCUMENT, "/body", " \n"), "/body"),
    ("document", changed(DOCUMENT, "/title", "a\ud800"), "/title"),
    ("mcp-server", changed(MCP_SERVER, "/transport/type", MARKER), "/transport"),
    ("mcp-server", changed(MCP_SERVER, "/transport", {"command": MARKER}), "/transport"),
    ("mcp-server", changed(MCP_SERVER, "/transport/stdio", MARKER), "/transport/stdio"),
    ("mcp-server", changed(MCP_SERVER, "/transport/command", f"{MARKER}\u0000"), "/transport/command"),
    ("mcp-server", changed(MCP_SERVER, "/transport/environment/0/kind", MARKER), "/transport/environment/0"),
    ("mcp-server", changed(MCP_SERVER, "/transport/environment/0/value", 3), "/transport/environment/0/value"),
    ("mcp-server", changed(MCP_SERVER, "/transport/environment/1/value", MARKER), "/transport/environment/1/value"),
    (
        "mcp-server",
        changed(MCP_SERVER, "/transport/environment/1/slot/set_by", MARKER),
        "/transport/environment/1/slot/set_by",
    ),
    ("mcp-server", changed(MCP_SERVER, "/tool_timeout_seconds", True), "/tool_timeout_seconds"),
]


@pytest.mark.parametrize(("kind", "content", "pointer"), FLAWS)
def test_a_flaw_is_pointed_at_and_never_quoted(kind: str, content: Any, pointer: str) -> None:
    code, errors = refusal(kind, content)
    assert code == "invalid"
    assert [error["pointer"] for error in errors] == [pointer]
    assert MARKER not in json.dumps(errors)


def test_an_unknown_field_is_answered_with_the_known_ones() -> None:
    _, [error] = refusal("document", {**DOCUMENT, MARKER: 1})
    assert error["pointer"] == f"/{MARKER}"
    assert error["message"] == f"unknown field; known are: {', '.join(RESOURCES['document'].model.model_fields)}."


def test_a_value_of_no_variant_is_answered_with_the_variants() -> None:
    _, [error] = refusal("mcp-server", changed(MCP_SERVER, "/transport/type", MARKER))
    assert error["message"].startswith("must have as its type one of: stdio, http")


def test_content_has_an_end_as_a_whole() -> None:
    lists = {"tools": ["x" * 640] * 256, "denied_tools": ["y" * 640] * 256}
    assert check_content("agent", {**AGENT, **lists, "instructions": "i" * 100_000})
    code, [error] = refusal("agent", {**AGENT, **lists, "instructions": "i" * 200_000})
    assert (code, error["pointer"]) == ("invalid", "")
    assert "450000 characters" in error["message"]


def test_very_many_flaws_are_cut_short() -> None:
    _, errors = refusal("mcp-server", changed(MCP_SERVER, "/transport/args", [1] * 64))
    assert len(errors) == 50


def test_a_rule_of_level_error_is_invalid() -> None:
    code, errors = refusal("document", changed(DOCUMENT, "/applies_to", ["../x"]))
    assert (code, errors[0]["pointer"]) == ("invalid", "/applies_to/0")


def test_a_rule_of_level_warning_is_a_finding() -> None:
    checked = check_content("document", changed(DOCUMENT, "/body", "@notes.md"))
    assert [(found.rule, found.level) for found in checked.findings] == [("imports-a-file", "warning")]


SECRETS = [
    ("agent", changed(AGENT, "/instructions", f"Sign in with {GITHUB_TOKEN}."), "/instructions", None),
    ("document", changed(DOCUMENT, "/body", GITHUB_TOKEN), "/body", None),
    (
        "mcp-server",
        changed(MCP_SERVER, "/transport/environment/0", {"kind": "plain", "name": "API_TOKEN", "value": "hunter2-hu"}),
        "/transport/environment/0/value",
        "/transport/environment/0",
    ),
    (
        "mcp-server",
        changed(MCP_SERVER, "/transport/args", ["--token=hunter2-hunter2"]),
        "/transport/args/0",
        "/transport/environment/-",
    ),
    (
        "mcp-server",
        changed(MCP_SERVER, "/transport", {"type": "http", "url": "https://me:" + "hunter2@x.example/"}),
        "/transport/url",
        "/transport/headers/-",
    ),
    (
        "mcp-server",
        changed(
            MCP_SERVER,
            "/transport",
            {
                "type": "http",
                "url": "https://x.example/",
                "headers": [{"kind": "plain", "name": "Authorization", "value": GITHUB_TOKEN}],
            },
        ),
        "/transport/headers/0/value",
        "/transport/headers/0",
    ),
    ("mcp-server", changed(MCP_SERVER, "/transport/environment/0/name", GITHUB_TOKEN), "/transport/environment/0/name",
     None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "pointer", "slot"), SECRETS)
def test_a_secret_is_refused_with_the_offer_of_a_slot(kind: str, content: Any, pointer: str, slot: str | None) -> None:
    code, errors = refusal(kind, content)
    assert code == "secret_found"
    assert [(error["pointer"], error.get("slot")) for error in errors] == [(pointer, slot)]
    assert "hunter2" not in json.dumps(errors)
    assert GITHUB_TOKEN not in json.dumps(errors)


def test_a_secret_wins_over_other_errors_and_all_are_listed() -> None:
    content = changed(changed(DOCUMENT, "/body", GITHUB_TOKEN), "/applies_to", ["/etc"])
    code, errors = refusal("document", content)
    assert code == "secret_found"
    assert {error["pointer"] for error in errors} == {"/body", "/applies_to/0"}


def test_a_secret_slot_is_no_secret() -> None:
    assert check_content("mcp-server", MCP_SERVER).findings == ()


@pytest.mark.parametrize("words", [{"name": GITHUB_TOKEN}, {"name": "x", "description": f"Use {GITHUB_TOKEN}."}])
def test_names_and_descriptions_hold_no_secrets(words: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        check_words(words)
    assert refused.value.code == "secret_found"
    assert GITHUB_TOKEN not in str(refused.value.details)


def test_names_hide_nothing() -> None:
    with pytest.raises(Refused) as refused:
        check_words({"name": "abc\u202edef"})
    assert refused.value.code == "invalid"
    check_words({"name": "Ünïcode 😀", "description": ""})


def test_content_shows_nothing_in_a_repr() -> None:
    assert "review" not in repr(check_content("agent", AGENT))


def test_content_that_later_rules_refuse_can_still_be_read() -> None:
    assert warnings_of("agent", {"unknown": 1}) == ()
    assert [found.rule for found in warnings_of("agent", {**AGENT, "tools": []})] == ["inherits-all-tools"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
POINTERS = [(kind, field) for kind, content in CONTENTS.items() for field in content]


@given(st.sampled_from(POINTERS), ANYTHING)
def test_any_json_is_either_kept_or_refused(place: tuple[str, str], value: Any) -> None:
    kind, field = place
    try:
        check_content(kind, {**CONTENTS[kind], field: value}).text.encode()
    except Refused as error:
        refused = error
    else:
        return
    assert refused.code in {"invalid", "secret_found"}
    assert refused.details["errors"]
