"""What people type finds names whatever their case, accents and marks between words."""

from __future__ import annotations

import pytest

from pigi.domain.searching import folded_words, rank, sort_key


@pytest.mark.parametrize(
    ("typed", "name", "fit"),
    [
        ("code-reviewer", "Code Reviewer", 0),
        ("CODEREV", "code_reviewer", 1),
        ("revi", "codeReviewer", 2),
        ("rev cod", "code-reviewer", 2),
        ("iew", "code-reviewer", 3),
        ("deployer", "code-reviewer", None),
        ("code deploy", "code-reviewer", None),
        ("sohne", "Söhne & Töchter", 1),
        ("sohne", "So\u0308hne", 0),
        ("strasse", "Straße", 0),
        ("lodz", "Łódź", 0),
        ("ἀθήνα", "αθηνα", 0),
        ("レビュー", "コードレビュー", 3),
        ("4.8", "dotnet-framework-4.8-expert", 2),
        ("github", "mcp.github", 2),
        ("", "anything", None),
        (" -_. ", "anything", None),
        ("%", "100% sure", None),
    ],
)
def test_a_name_fits_what_is_typed(typed: str, name: str, fit: int | None) -> None:
    assert rank(folded_words(typed), name) == fit


def test_numbers_are_sorted_as_numbers() -> None:
    names = ["agent-10", "Agent 2", "agent", "beta", "Änderung", "agent-2b"]
    assert sorted(names, key=sort_key) == ["agent", "Agent 2", "agent-2b", "agent-10", "Änderung", "beta"]
