"""Instruction documents: Markdown, when it applies, and the files that it is for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import NOT_DRAFTED, FreeDescription, Glob, Label, Prose, Strict


class Document(Strict):
    """One instruction document, as AGENTS.md, CLAUDE.md and the tools' rule files hold."""

    title: Label = Field(description="The document's title, on one line.")
    description: FreeDescription = Field(
        default="", description="What it is about, by which a model decides to read it.", json_schema_extra=NOT_DRAFTED
    )
    body: Prose = Field(description="Markdown without front matter; does not repeat the title as a heading.")
    applies_when: Literal["always", "glob", "model-decision", "manual"] = Field(
        default="always",
        description=(
            "always; glob: with files that applies_to names; model-decision: when the model finds that the description "
            "fits; manual: when a person asks for it. Left out, glob if applies_to names any, otherwise always."
        ),
        json_schema_extra=NOT_DRAFTED,
    )
    applies_to: list[Glob] = Field(
        default_factory=list,
        max_length=256,
        description="Globs of the files it applies to, relative to the project, such as src/**/*.py; empty means all.",
    )
    extensions: Extensions = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _when(cls, content: Any) -> Any:
        """Documents of before this field applied with the files of their globs."""
        if isinstance(content, dict) and "applies_when" not in content and content.get("applies_to"):
            return {**content, "applies_when": "glob"}
        return content
