"""Agents: a name, when to delegate to it, a system prompt, and what it may use."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import (
    NOT_DRAFTED,
    FreeDescription,
    FreeLabel,
    FreeLine,
    FreeWord,
    Identifier,
    ModelName,
    Prose,
    Reference,
    Strict,
    ToolName,
)


class Agent(Strict):
    """One agent, in no tool's dialect.

    The fields are those that two or more of Claude Code, Copilot, Codex, Gemini, OpenCode, Cursor, Kiro and Junie
    have. What a single tool knows, such as hooks, hand-offs or a permission mode, is in ``extensions`` and looked at
    there. An empty text, an empty list and null mean that nothing is said, and the tool's own default holds.
    """

    name: Identifier = Field(
        description="What tools call it: letters, digits, dots, underscores, plus signs and hyphens."
    )
    display_name: FreeLabel = Field(
        default="", description="What people read, where a tool shows another name.", json_schema_extra=NOT_DRAFTED
    )
    description: FreeDescription = Field(
        default="", description="When to delegate to this agent, in one or two sentences; some tools need none."
    )
    instructions: Prose = Field(description="The agent's system prompt, in Markdown with several short sections.")
    tools: list[ToolName] = Field(
        default_factory=list,
        max_length=256,
        description="The tools that the agent may use, fewest possible; empty means all that its host has.",
    )
    denied_tools: list[ToolName] = Field(
        default_factory=list,
        max_length=256,
        description="Tools that the agent must not use, whatever else it has.",
        json_schema_extra=NOT_DRAFTED,
    )
    model: ModelName = Field(default="inherit", description="inherit, or an alias such as sonnet, opus or haiku.")
    fallback_models: list[ModelName] = Field(
        default_factory=list,
        max_length=16,
        description="Models to take where model cannot be had, best first.",
        json_schema_extra=NOT_DRAFTED,
    )
    effort: FreeWord = Field(
        default="",
        description="How long the model may think, in the tools' words, such as low, medium, high or max.",
        json_schema_extra=NOT_DRAFTED,
    )
    max_turns: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Turns after which it stops.",
        json_schema_extra=NOT_DRAFTED,
    )
    mcp_servers: list[Reference] = Field(
        default_factory=list, max_length=64, description="Names of the MCP servers that the agent needs; usually none."
    )
    skills: list[Reference] = Field(
        default_factory=list,
        max_length=64,
        description="Names of skills that it has from the start.",
        json_schema_extra=NOT_DRAFTED,
    )
    memory: Literal["none", "user", "project", "local"] = Field(
        default="none",
        description="Whose notes it keeps from one session to the next, and where.",
        json_schema_extra=NOT_DRAFTED,
    )
    background: bool = Field(
        default=False, description="Whether it runs without being waited for.", json_schema_extra=NOT_DRAFTED
    )
    isolation: FreeWord = Field(
        default="", description="Where it works apart, such as worktree.", json_schema_extra=NOT_DRAFTED
    )
    color: FreeWord = Field(
        default="", description="Its colour in lists: a name, or # and digits.", json_schema_extra=NOT_DRAFTED
    )
    argument_hint: FreeLine = Field(
        default="", description="What to type after its name.", json_schema_extra=NOT_DRAFTED
    )
    extensions: Extensions = Field(default_factory=dict)
