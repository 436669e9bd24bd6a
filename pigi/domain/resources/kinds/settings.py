"""Settings: what may run in a project, in what environment, with which model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import (
    DRAFTED,
    NOT_DRAFTED,
    FreeDescription,
    Label,
    Raw,
    Strict,
    Value,
    Variable,
    VisibleLine,
)

RULE_LENGTH = 10_000


def _rule(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return text


# A rule may hold a command of several lines, such as one that writes a commit message.
PermissionRule = Annotated[Raw, StringConstraints(min_length=1, max_length=RULE_LENGTH), AfterValidator(_rule)]
Rules = Annotated[list[PermissionRule], Field(max_length=1000)]
Model = Annotated[VisibleLine, StringConstraints(max_length=300)]


class Permissions(Strict):
    """Rules of the form Tool or Tool(pattern). Deny wins over ask, and ask over allow."""

    allow: Rules = Field(
        default_factory=list,
        description="What may run without asking, such as Read or Bash(npm test:*). Never a bare Bash.",
    )
    ask: Rules = Field(default_factory=list, description="What must ask each time.")
    deny: Rules = Field(default_factory=list, description="What must never run, such as Read(./.env).")
    default_mode: Literal["ask", "accept-edits", "plan", "auto", "never-ask", "bypass-permissions"] = Field(
        default="ask",
        description=(
            "What happens to the rest: ask each time; accept edits of files; plan and change nothing; auto lets a model"
            " decide; never-ask refuses what no rule allows; bypass-permissions runs all of it unasked."
        ),
        json_schema_extra={DRAFTED: ["ask", "accept-edits", "plan"]},
    )
    additional_directories: list[Value] = Field(
        default_factory=list,
        max_length=200,
        description="Folders beside the project that may be worked in.",
        json_schema_extra=NOT_DRAFTED,
    )


class Settings(Strict):
    """One project's settings, in no tool's dialect.

    What only one tool knows, such as hooks and a status line, stands in ``extensions``: it runs programs unasked, so
    each is found and said.
    """

    name: Label = Field(description="A short name for this set, on one line.")
    description: FreeDescription = Field(default="", description="What these settings are for.")
    permissions: Permissions = Field(default_factory=Permissions)
    environment: list[Variable] = Field(
        default_factory=list, max_length=200, description="Environment variables; anything secret is a slot."
    )
    model: Model = Field(default="inherit", description="inherit, or an alias such as sonnet, opus or haiku.")
    available_models: list[Model] = Field(
        default_factory=list,
        max_length=100,
        description="The only models that may be chosen; empty leaves it open.",
        json_schema_extra=NOT_DRAFTED,
    )
    extensions: Extensions = Field(default_factory=dict)
