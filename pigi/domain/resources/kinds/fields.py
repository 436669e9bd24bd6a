"""The bounded types that the kinds of resource are made of.

Bounds are characters. They keep a draft small enough to read and to store; where a tool sets a tighter
one, the rule in `pigi.domain.resources.rules` names it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from pigi.domain.names import NAME_LENGTH, checked_name
from pigi.domain.positions import position_in
from pigi.flaws import pattern

SLUG_LENGTH: Final = 64
IDENTIFIER_LENGTH: Final = 128
DESCRIPTION_LENGTH: Final = 8_000
PROSE_LENGTH: Final = 200_000

DRAFTED: Final = "x-drafted"
"""In a field's JSON schema: False keeps it from the model that drafts, a list names the values that it may choose."""
NOT_DRAFTED: Final[dict[str, Any]] = {DRAFTED: False}
"""Of a field that drafts leave at its default: `pigi.domain.resources.drafts`."""

# Unicode's categories Cc and Cs, which never grow; with Zl and Zp they end a line. An expression finds them in a
# twentieth of the time that asking each character takes, of which an import has many millions.
_NOT_IN_PROSE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]")
_NOT_IN_A_LINE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")
_IDENTIFIER = r"[A-Za-z0-9_](?:[A-Za-z0-9_+.-]*[A-Za-z0-9_+-])?"
# Names of devices, whatever follows after a dot: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
BYTE_ORDER_MARK: Final = "\ufeff"


class Strict(BaseModel):
    """Unknown fields and wrong types are errors; validation errors never show what was typed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _prose(text: str) -> str:
    """``text`` as it is, line endings included; NUL and other controls cannot be stored by PostgreSQL or YAML."""
    found = _NOT_IN_PROSE.search(text)
    if found:
        line, column = position_in(text, found.start())
        message = f"holds a control character (U+{ord(found[0]):04X}) at line {line}, column {column}; remove it"
        raise ValueError(message)
    return text


def one_line(text: str) -> str:
    """``text`` if it is one: a line break could start a new key in a tool's YAML front matter, such as ``hooks``."""
    found = _NOT_IN_A_LINE.search(text)
    if found:
        message = f"holds a line break or control character (U+{ord(found[0]):04X}) at column {found.start() + 1}"
        raise ValueError(message)
    return text


def _visible(text: str) -> str:
    if not text.strip():
        message = "must not be blank"
        raise ValueError(message)
    return text


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _named_or_empty(text: str) -> str:
    return checked_name(text) if text else ""


def without_mark(value: Any) -> Any:
    """A text without the byte order mark that some editors begin a file with: it is no part of what was written."""
    return value.removeprefix(BYTE_ORDER_MARK) if isinstance(value, str) else value


def is_identifier(name: str) -> bool:
    """Whether ``name`` can be an agent's: what tools take as one, and every system as the name of a file."""
    fits = re.fullmatch(_IDENTIFIER, name) and not _DEVICE.fullmatch(name)
    return bool(fits) and len(name) <= IDENTIFIER_LENGTH


def is_slug(name: str) -> bool:
    """Whether ``name`` is lower-case words joined by hyphens."""
    return len(name) <= SLUG_LENGTH and re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*", name) is not None


def _identifier(name: str) -> str:
    if _DEVICE.fullmatch(name):
        message = "is the name of a device on Windows, where no file can have it"
        raise ValueError(message)
    if not is_identifier(name):
        message = "must be letters, digits, dots, underscores, plus signs and hyphens; no dot or hyphen in front"
        raise ValueError(message + ", no dot at the end")
    return name


def _variable_name(text: str) -> str:
    if not text.strip() or "=" in text:
        message = "must be a name of a variable, without an equals sign"
        raise ValueError(message)
    return one_line(text)


Slug = Annotated[
    str,
    StringConstraints(
        max_length=SLUG_LENGTH,
        pattern=pattern(
            r"^[a-z0-9]+(?:-[a-z0-9]+)*$", "must be lower-case letters and digits, in words joined by hyphens"
        ),
    ),
]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=IDENTIFIER_LENGTH),
    AfterValidator(_identifier),
    Field(json_schema_extra={"pattern": f"^{_IDENTIFIER}$"}),
]
Label = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    BeforeValidator(_trimmed),
    AfterValidator(checked_name),
]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_visible), AfterValidator(one_line)
]
FreeLabel = Annotated[
    str, StringConstraints(max_length=NAME_LENGTH), BeforeValidator(_trimmed), AfterValidator(_named_or_empty)
]
FreeLine = Annotated[str, StringConstraints(max_length=1000), AfterValidator(one_line)]
FreeWord = Annotated[str, StringConstraints(max_length=40), AfterValidator(one_line)]
"""A word of the tools' own, which they keep adding to; may be empty."""
FreeDescription = Annotated[
    str, StringConstraints(max_length=DESCRIPTION_LENGTH), BeforeValidator(without_mark), AfterValidator(_prose)
]
"""May be empty, and may have line breaks: delivery writes them as each format can hold them."""
Prose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PROSE_LENGTH),
    BeforeValidator(without_mark),
    AfterValidator(_visible),
    AfterValidator(_prose),
]
Value = Annotated[str, StringConstraints(max_length=2000), AfterValidator(one_line)]
Glob = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_visible), AfterValidator(one_line)
]
Raw = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_prose)]
"""What a program is given: it may have line breaks."""
VisibleLine = Annotated[str, StringConstraints(min_length=1), AfterValidator(_visible), AfterValidator(one_line)]
VariableName = Annotated[
    str,
    StringConstraints(
        max_length=128,
        pattern=pattern(
            r"^[A-Za-z_][A-Za-z0-9_]*$", "must be letters, digits and underscores, and not begin with a digit"
        ),
    ),
]
# What a program reads: POSIX asks for no more than that it holds no equals sign; Windows has ProgramFiles(x86).
EnvironmentName = Annotated[str, StringConstraints(max_length=256), AfterValidator(_variable_name)]
# A field name is a token: RFC 9110, section 5.1.
HeaderName = Annotated[
    str,
    StringConstraints(
        max_length=128,
        pattern=pattern(
            r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", "must be a header's name: letters, digits and hyphens, without spaces"
        ),
    ),
]
# "inherit", an alias such as "sonnet", a provider's full model id, or its name in words with the host in brackets.
ModelName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible), AfterValidator(one_line)
]
# What hosts call a tool: Bash(git:*), edit/editFiles, github/*, mcp__server__tool, Microsoft Docs.
ToolName = Annotated[
    str, StringConstraints(min_length=1, max_length=640), AfterValidator(_visible), AfterValidator(one_line)
]
# What tools call a server or a skill: awesome_copilot, io.github.user/server, plugin:skill.
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_visible), AfterValidator(one_line)
]
# Tool or Tool(pattern), as in Claude Code's permission rules.
ToolRule = Annotated[
    str,
    StringConstraints(
        max_length=640,
        pattern=pattern(
            r"^(?:\*|[A-Za-z][A-Za-z0-9_.*-]{0,127})(?:\([^\n\r]{1,500}\))?$",
            "must be the name of a tool, such as Read, or one with a pattern in brackets, such as Bash(npm test:*)",
        ),
    ),
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
    name: EnvironmentName = Field(description="Name of the environment variable.")
    value: Raw = Field(description="Its value. Never a secret.")


class SecretVariable(Strict):
    """An environment variable filled from a secret slot."""

    kind: Literal["secret"]
    name: EnvironmentName = Field(description="Name of the environment variable that the program reads.")
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
