"""Instruction documents: Markdown, and the files that it is for."""

from __future__ import annotations

from pydantic import Field

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import Glob, Label, Prose, Strict


class Document(Strict):
    """One instruction document, as AGENTS.md, CLAUDE.md and the tools' rule files hold."""

    title: Label = Field(description="The document's title, on one line.")
    body: Prose = Field(description="Markdown without front matter; does not repeat the title as a heading.")
    applies_to: list[Glob] = Field(
        default_factory=list,
        max_length=64,
        description="Globs of the files it applies to, relative to the project, such as src/**/*.py; empty means all.",
    )
    extensions: Extensions = Field(default_factory=dict)
