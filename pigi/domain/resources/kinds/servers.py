"""MCP servers: programs to start, or addresses to speak to.

References to variables, in any tool's spelling, may stand anywhere and are kept as they are written.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import (
    DRAFTED,
    NOT_DRAFTED,
    FreeDescription,
    Header,
    Raw,
    SecretSlot,
    Strict,
    Value,
    Variable,
    VisibleLine,
    one_line,
)

SERVER_NAME_LENGTH = 128
MOST_SECONDS = 86_400
_ADDRESS = re.compile(r"(?:(?:https?|wss?|unix|pipe)://|[$%{<])\S+", re.IGNORECASE)


def _command(text: str) -> str:
    if text != text.strip():
        message = "must not begin or end with a space"
        raise ValueError(message)
    return one_line(text)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or text.lower() in {"http://", "https://"}:
        message = "must be an address that begins with https:// or http://, or with a variable, and holds no spaces"
        raise ValueError(message)
    return one_line(text)


def _seconds(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_SECONDS:
        return value
    message = f"must be a number of seconds above 0 and at most {MOST_SECONDS}"
    raise ValueError(message)


Command = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_command)]
Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_address)]
ServerName = Annotated[VisibleLine, StringConstraints(max_length=SERVER_NAME_LENGTH)]
ServerTool = Annotated[VisibleLine, StringConstraints(max_length=300)]
# A whole number stays one: 30 is not read back as 30.0.
Seconds = Annotated[
    int | float,
    PlainValidator(_seconds),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SECONDS}),
]
ServerTools = Annotated[list[ServerTool], Field(max_length=500)]


class StdioTransport(Strict):
    """The tool starts the server as a program and speaks over its standard streams."""

    type: Literal["stdio"]
    command: Command = Field(description="The program to start, without arguments, such as npx or uvx.")
    args: list[Raw] = Field(
        default_factory=list, max_length=200, description="One argument each, with package versions pinned."
    )
    environment: list[Variable] = Field(
        default_factory=list, max_length=200, description="Environment variables; anything secret is a slot."
    )
    cwd: Value = Field(
        default="",
        description="The folder to start it in; empty leaves it to the tool.",
        json_schema_extra=NOT_DRAFTED,
    )
    env_file: Value = Field(
        default="",
        description="A file that more variables are read from; never its content.",
        json_schema_extra=NOT_DRAFTED,
    )


class OAuth(Strict):
    """How the tool signs in at a server by OAuth; what is empty or null is found out from the server."""

    client_id: Value = Field(default="", description="The client's id, which is no secret.")
    client_secret: SecretSlot | None = Field(default=None, description="Where the client's secret goes, if it has one.")
    scopes: list[Value] = Field(default_factory=list, max_length=100, description="The scopes to ask for.")
    callback_port: int | None = Field(default=None, ge=1, le=65_535, description="The port of the redirect address.")
    metadata_url: Url | None = Field(default=None, description="Where the authorisation server describes itself.")
    resource: Value = Field(default="", description="What the token is for, as RFC 8707 names it.")


class HttpTransport(Strict):
    """The tool speaks to a running server: over streamable HTTP, server-sent events or a WebSocket."""

    type: Literal["http", "sse", "ws"] = Field(json_schema_extra={DRAFTED: ["http"]})
    url: Url = Field(description="The server's address, https, with no credentials in it.")
    headers: list[Header] = Field(
        default_factory=list, max_length=100, description="HTTP headers; anything secret is a slot."
    )
    oauth: OAuth | None = Field(
        default=None,
        description="How to sign in by OAuth; null leaves it to the tool.",
        json_schema_extra=NOT_DRAFTED,
    )


Transport = Annotated[StdioTransport | HttpTransport, Field(discriminator="type")]


class McpServer(Strict):
    """One MCP server, in no tool's dialect.

    Variables and headers are lists of entries rather than maps, because structured output has no open
    maps.
    """

    name: ServerName = Field(
        description="The name under which tools know it, as in mcp__name__tool: letters, digits, hyphens, underscores."
    )
    description: FreeDescription = Field(default="", description="What the server offers and when it is useful.")
    transport: Transport
    startup_timeout_seconds: Seconds = Field(
        default=30, description="How long the tool waits for the server to start, in seconds."
    )
    tool_timeout_seconds: Seconds = Field(default=60, description="How long one call of a tool may take, in seconds.")
    disabled: bool = Field(
        default=False, description="Whether it is there but not started.", json_schema_extra=NOT_DRAFTED
    )
    enabled_tools: ServerTools = Field(
        default_factory=list,
        description="The only tools of it that may be used; empty means all.",
        json_schema_extra=NOT_DRAFTED,
    )
    disabled_tools: ServerTools = Field(
        default_factory=list,
        description="Tools of it that may not be used; they win over those that may.",
        json_schema_extra=NOT_DRAFTED,
    )
    auto_approved_tools: ServerTools = Field(
        default_factory=list, description="Tools of it that run without asking.", json_schema_extra=NOT_DRAFTED
    )
    trust: bool = Field(
        default=False, description="Whether none of its tools asks before it runs.", json_schema_extra=NOT_DRAFTED
    )
    extensions: Extensions = Field(default_factory=dict)
