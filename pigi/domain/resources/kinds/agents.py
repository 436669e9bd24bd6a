"""Agents: a name, when to delegate to it, and a system prompt."""

from __future__ import annotations

from pydantic import Field

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import ModelName, Prose, Sentence, Slug, Strict, ToolRule


class Agent(Strict):
    """One agent, in no tool's dialect.

    The fields are those that Claude Code's subagents, Copilot's agents, Codex's agents and Gemini's agents
    share. There is no place for hooks or a permission mode: an agent shared with a team must not carry them.
    """

    name: Slug = Field(description="Lower-case words joined by hyphens.")
    description: Sentence = Field(description="When to delegate to this agent, in one or two sentences on one line.")
    instructions: Prose = Field(description="The agent's system prompt, in Markdown with several short sections.")
    tools: list[ToolRule] = Field(
        default_factory=list,
        max_length=64,
        description="The tools that the agent may use, fewest possible; empty means all that its host has.",
    )
    model: ModelName = Field(default="inherit", description="inherit, or an alias such as sonnet, opus or haiku.")
    mcp_servers: list[Slug] = Field(
        default_factory=list, max_length=32, description="Names of the MCP servers that the agent needs; usually none."
    )
    extensions: Extensions = Field(default_factory=dict)
