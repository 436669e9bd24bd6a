"""A project's settings: permission rules, environment and model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import Label, ModelName, Sentence, Strict, ToolRule, Variable


class Permissions(Strict):
    """Rules of the form Tool or Tool(pattern). Deny wins over ask, and ask over allow.

    ``default_mode`` has no value that switches approval off; that is a choice for one machine, not for a team.
    """

    allow: list[ToolRule] = Field(
        default_factory=list,
        max_length=200,
        description="What may run without asking, such as Read or Bash(npm test:*). Never a bare Bash.",
    )
    ask: list[ToolRule] = Field(default_factory=list, max_length=200, description="What must ask each time.")
    deny: list[ToolRule] = Field(
        default_factory=list, max_length=200, description="What must never run, such as Read(./.env)."
    )
    default_mode: Literal["ask", "accept-edits", "plan"] = Field(
        default="ask",
        description="What happens to the rest: ask each time, accept edits of files, or plan and change nothing.",
    )


class Settings(Strict):
    """One project's settings, in no tool's dialect. Hooks have no place here: they run programs unasked."""

    name: Label = Field(description="A short name for this set, on one line.")
    description: Sentence = Field(description="What these settings are for, on one line.")
    permissions: Permissions = Field(default_factory=Permissions)
    environment: list[Variable] = Field(
        default_factory=list, max_length=64, description="Environment variables; anything secret is a slot."
    )
    model: ModelName = Field(default="inherit", description="inherit, or an alias such as sonnet, opus or haiku.")
    extensions: Extensions = Field(default_factory=dict)
