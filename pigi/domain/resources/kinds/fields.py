"""The bounded types that the kinds of resource are made of.

Bounds are characters. They keep a draft small enough to read and to store; where a tool sets a tighter
one, the rule in `pigi.domain.resources.rules` names it.
"""

from __future__ import annotations

import re
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
