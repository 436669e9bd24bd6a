"""The kinds of resource: the schema of each, the bounded types they are made of, and their states.

Bounds are characters. They keep a draft small enough to read and to store; where a tool sets a tighter
one, the rule in `pigi.domain.resources.rules` names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

SLUG_LENGTH: Final = 64
LABEL_LENGTH: Final = 120
PROSE_LENGTH: Final = 50_000

_LINE_BREAK = re.compile(r"\r\n?")
# Unicode's categories Cc and Cs, which never grow; with Zl and Zp they end a line. An expression finds them in a
# twentieth of the time that asking each character takes, of which an import has many millions.
_NOT_IN_PROSE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ud800-\udfff]")
_NOT_IN_A_LINE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")


class Strict(BaseModel):
    """Unknown fields and wrong types are errors; validation errors never show what was typed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _prose(text: str) -> str:
    """``text`` with line feeds as its line breaks; NUL and other controls cannot be stored by PostgreSQL or YAML."""
    text = _LINE_BREAK.sub("\n", text)
    if _NOT_IN_PROSE.search(text):
        message = "control characters are not allowed"
        raise ValueError(message)
    return text


def one_line(text: str) -> str:
    """``text`` if it is one: a line break could start a new key in a tool's YAML front matter, such as ``hooks``."""
    if _NOT_IN_A_LINE.search(text):
        message = "line breaks and control characters are not allowed"
        raise ValueError(message)
    return text


def _visible_line(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return one_line(text)


def _visible_prose(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return _prose(text)


Slug = Annotated[str, StringConstraints(max_length=SLUG_LENGTH, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_LENGTH), AfterValidator(_visible_line)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_visible_line)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=PROSE_LENGTH), AfterValidator(_visible_prose)]
Value = Annotated[str, StringConstraints(max_length=2000), AfterValidator(one_line)]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_visible_line)]
VariableName = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
# A field name is a token: RFC 9110, section 5.1.
HeaderName = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
# "inherit", an alias such as "sonnet", or a provider's full model id.
ModelName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
# Tool or Tool(pattern), as in Claude Code's permission rules.
ToolRule = Annotated[
    str,
    StringConstraints(max_length=640, pattern=r"^(?:\*|[A-Za-z][A-Za-z0-9_.*-]{0,127})(?:\([^\n\r]{1,500}\))?$"),
    AfterValidator(one_line),
]


class SecretSlot(Strict):
    """A place where a secret goes. Pigi keeps that it is needed and why, never its value."""

    name: VariableName = Field(description="Environment variable that will hold the secret, such as GITHUB_TOKEN.")
    purpose: Sentence = Field(description="What the secret is for and which rights it needs, in one sentence.")
    set_by: Literal["member", "administrator"] = Field(
        default="member",
        description="Who supplies it: each member their own, or an administrator one for all.",
    )


class PlainVariable(Strict):
    """An environment variable whose value anyone may read."""

    kind: Literal["plain"]
    name: VariableName = Field(description="Name of the environment variable.")
    value: Value = Field(description="Its value. Never a secret.")


class SecretVariable(Strict):
    """An environment variable filled from a secret slot."""

    kind: Literal["secret"]
    name: VariableName = Field(description="Name of the environment variable that the program reads.")
    slot: SecretSlot


class PlainHeader(Strict):
    """An HTTP header whose value anyone may read."""

    kind: Literal["plain"]
    name: HeaderName = Field(description="Name of the HTTP header.")
    value: Value = Field(description="Its value. Never a secret.")


class SecretHeader(Strict):
    """An HTTP header filled from a secret slot.

    ``scheme`` is apart from the slot because Codex can send "Bearer" and a variable but no other mixed string.
    """

    kind: Literal["secret"]
    name: HeaderName = Field(description="Name of the HTTP header, usually Authorization.")
    scheme: Literal["bearer", "none"] = Field(
        default="bearer", description="bearer sends 'Bearer ' before the secret; none sends the secret alone."
    )
    slot: SecretSlot


Variable = Annotated[PlainVariable | SecretVariable, Field(discriminator="kind")]
Header = Annotated[PlainHeader | SecretHeader, Field(discriminator="kind")]


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


class Document(Strict):
    """One instruction document, as AGENTS.md, CLAUDE.md and the tools' rule files hold."""

    title: Label = Field(description="The document's title, on one line.")
    body: Prose = Field(description="Markdown without front matter; does not repeat the title as a heading.")
    applies_to: list[Glob] = Field(
        default_factory=list,
        max_length=64,
        description="Globs of the files it applies to, relative to the project, such as src/**/*.py; empty means all.",
    )


Command = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, pattern=r"^\S(?:[^\n\r]*\S)?$"),
    AfterValidator(one_line),
]
Url = Annotated[
    str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s/?#]+[^\s]*$"), AfterValidator(one_line)
]


class StdioTransport(Strict):
    """The tool starts the server as a program and speaks over its standard streams."""

    type: Literal["stdio"]
    command: Command = Field(description="The program to start, without arguments, such as npx or uvx.")
    args: list[Value] = Field(
        default_factory=list, max_length=64, description="One argument each, with package versions pinned."
    )
    environment: list[Variable] = Field(
        default_factory=list, max_length=64, description="Environment variables; anything secret is a slot."
    )


class HttpTransport(Strict):
    """The tool speaks to a running server over streamable HTTP."""

    type: Literal["http"]
    url: Url = Field(description="The server's address, https, with no credentials in it.")
    headers: list[Header] = Field(
        default_factory=list, max_length=32, description="HTTP headers; anything secret is a slot."
    )


Transport = Annotated[StdioTransport | HttpTransport, Field(discriminator="type")]


class McpServer(Strict):
    """One MCP server, in no tool's dialect.

    Variables and headers are lists of entries rather than maps, because structured output has no open
    maps. A helper program that computes headers has no place here: it would run on every member's machine.
    """

    name: Slug = Field(description="Lower-case words joined by hyphens.")
    description: Sentence = Field(description="What the server offers and when it is useful, on one line.")
    transport: Transport
    startup_timeout_seconds: int = Field(
        default=30, ge=1, le=600, description="How long the tool waits for the server to start, in seconds."
    )
    tool_timeout_seconds: int = Field(
        default=60, ge=1, le=3600, description="How long one call of a tool may take, in seconds."
    )


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


class ResourceState(StrEnum):
    """Whether a project or a resource is in use; names are permanent. Kept as long as the organisation is active."""

    ACTIVE = "active"
    """In use, and alone of its name. Left by a member who archives it."""
    ARCHIVED = "archived"
    """Kept and not in use; another may have its name. Left by a member who brings it back."""


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource.

    ``wire`` is its permanent name outside Pigi; ``name_field`` is the field that carries the name that was
    requested, and ``slugged`` says whether that name must be a slug.
    """

    wire: str
    title: str
    model: type[BaseModel]
    name_field: str
    slugged: bool


RESOURCES: Final[dict[str, ResourceKind]] = {
    kind.wire: kind
    for kind in (
        ResourceKind("agent", "Agent", Agent, "name", slugged=True),
        ResourceKind("mcp-server", "MCP server", McpServer, "name", slugged=True),
        ResourceKind("document", "Document", Document, "title", slugged=False),
        ResourceKind("settings", "Settings", Settings, "name", slugged=False),
    )
}
