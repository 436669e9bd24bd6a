"""MCP servers: programs to start, or addresses to speak to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from pigi.domain.resources.kinds.extensions import Extensions
from pigi.domain.resources.kinds.fields import Header, Sentence, Slug, Strict, Value, Variable, one_line
from pigi.flaws import pattern

Command = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=300,
        pattern=pattern(r"^\S(?:[^\n\r]*\S)?$", "must be one line that neither begins nor ends with a space"),
    ),
    AfterValidator(one_line),
]
Url = Annotated[
    str,
    StringConstraints(
        max_length=2000,
        pattern=pattern(
            r"^https?://[^\s/?#]+[^\s]*$", "must be an address that begins with https:// or http://, without spaces"
        ),
    ),
    AfterValidator(one_line),
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
    extensions: Extensions = Field(default_factory=dict)
