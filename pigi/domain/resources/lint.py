"""Checking a resource against the rules that a schema cannot hold.

A check yields the id of a broken rule and where; `pigi.domain.resources.rules` has the words.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pigi.domain.characters import Unseen, unseen_in_name, unseen_in_prose, unseen_in_value
from pigi.domain.resources import rules
from pigi.domain.resources.kinds import (
    Agent,
    Document,
    HttpTransport,
    McpServer,
    PlainHeader,
    PlainVariable,
    SecretHeader,
    SecretVariable,
    Settings,
    StdioTransport,
)
from pigi.domain.resources.secrets import Example, Sign, digest_of, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pydantic import BaseModel

    Broken = Iterator[tuple[str, str]]
    Entry = PlainVariable | SecretVariable | PlainHeader | SecretHeader

_PROSE_FIELDS: Final = frozenset({"instructions", "body", "description", "purpose", "title"})
_NAME_FIELDS: Final = frozenset({"title", "display_name", "argument_hint"})
_FRONT_MATTER = re.compile(r"\s*---[ \t]*(?:\n|$)")
_IMPORT = re.compile(r"(?m)^@[~./\w]")
_DOWNLOAD = re.compile(
    r"\b(?:curl|wget|iwr)\b[^|]{0,2000}\|\s{0,20}(?:sudo\s{1,20})?(?:sh|bash|zsh|python3?|node|iex)\b",
)
_PINNED = re.compile(r"(?:@?[^@=\s]+)(?:@|==)\d[\w.+-]*")
_DOCUMENT_LINES: Final = 200


@dataclass(frozen=True)
class Finding:
    """One broken rule.

    ``pointer`` is a JSON Pointer (RFC 6901) of schema field names and array positions, so it holds no content but names
    within ``extensions``. Of a secret it also says in which ``line``, counted from 1, and of what ``kind``; and, unless
    its shape leaves no doubt, what names it as an ``example``, which is for whoever sent it only. Of characters that
    nobody sees it says ``line`` and ``column`` too, and as ``kind`` the code point of the first.
    """

    rule: str
    level: rules.Level
    sentence: str
    pointer: str
    line: int | None = None
    kind: str | None = None
    example: str | None = None
    column: int | None = None

    def told(self) -> dict[str, Any]:
        """What may be stored and shown to everybody."""
        return {name: value for name, value in asdict(self).items() if value is not None and name != "example"}


def finding(rule: str, pointer: str) -> Finding:
    """The finding that ``rule`` is broken at ``pointer``; an unknown rule raises KeyError."""
    return Finding(rule, rules.RULES[rule].level, rules.RULES[rule].sentence, pointer)


MOST_SECRETS: Final = 50
"""Secrets that are pointed at; whoever sends more has sent another file."""
HIDDEN: Final = "hidden-characters"
SECRET: Final = "literal-secret"  # noqa: S105 - a rule's id
MAYBE: Final = "maybe-a-secret"
DECLARED: Final = "declared-example"


def lint(
    draft: BaseModel, name_field: str, expected_name: str, examples: Collection[str] = (), sign: Sign | None = None
) -> tuple[Finding, ...]:
    """Every rule that ``draft`` breaks, errors first, in the order of its fields; empty means that it is fine.

    ``examples`` names values of which somebody said that they are no secrets. Without ``sign`` no more are offered.
    """
    values = draft.model_dump(mode="json")
    secret = _check_secrets(values, examples, sign)
    broken = list(_check_texts(values, ""))
    if getattr(draft, name_field) != expected_name:
        broken.append(("name-differs", f"/{name_field}"))
    broken.extend(_CHECKS[type(draft)](draft))
    findings = [finding(rule, pointer) for rule, pointer in dict.fromkeys(broken)]
    return tuple(
        sorted([*secret, *islice(_check_characters(values), MOST_SECRETS), *findings], key=lambda found: found.level)
    )


def _check_secrets(values: Any, examples: Collection[str], sign: Sign | None) -> list[Finding]:
    found = []
    for pointer, text, secret in islice(secrets_of(values), MOST_SECRETS):
        rule, example = SECRET if secret.sure else MAYBE, None
        if secret.sure and not secret.verified:
            digest = digest_of(text[secret.start : secret.end])
            example = sign(digest) if sign else None
            if digest in examples or example in examples:
                rule, example = DECLARED, digest
        facts = rules.RULES[rule]
        line = text.count("\n", 0, secret.start) + 1
        found.append(Finding(rule, facts.level, facts.sentence, pointer, line, secret.kind, example))
    return found


def _check_characters(value: Any, pointer: str = "") -> Iterator[Finding]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _check_characters(item, f"{pointer}/{_escaped(name)}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _check_characters(item, f"{pointer}/{position}")
    elif isinstance(value, str):
        for one in _unseen_in(pointer)(value):
            rule = HIDDEN if one.hides else "invisible-characters"
            facts = rules.RULES[rule]
            yield Finding(rule, facts.level, facts.sentence, pointer, one.line, one.what, column=one.column)


def _unseen_in(pointer: str) -> Callable[[str], tuple[Unseen, ...]]:
    field = pointer.rpartition("/")[2]
    if field in _NAME_FIELDS:
        return unseen_in_name
    return unseen_in_prose if field in _PROSE_FIELDS or pointer.startswith("/extensions/") else unseen_in_value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def examples_in(findings: Sequence[Finding]) -> tuple[Example, ...]:
    """The values among these findings that are kept because somebody called them examples."""
    return tuple(
        Example(example=one.example or "", pointer=one.pointer, line=one.line or 1, kind=one.kind or "")
        for one in findings
        if one.rule == DECLARED
    )


def _check_texts(value: object, pointer: str) -> Broken:
    """The rules that hold for every text, wherever it is."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _check_texts(item, f"{pointer}/{_escaped(name)}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _check_texts(item, f"{pointer}/{position}")
    elif isinstance(value, str):
        yield from _check_text(value, pointer)


def _check_text(text: str, pointer: str) -> Broken:
    prose = pointer.rpartition("/")[2] in _PROSE_FIELDS
    if any(switch in text.lower() for switch in rules.APPROVAL_SWITCHES):
        yield "mentions-no-approval" if prose else "switches-off-approval", pointer
    if _DOWNLOAD.search(text) and not prose:
        yield "pipes-a-download", pointer


def _check_prose(text: str, pointer: str) -> Broken:
    if _FRONT_MATTER.match(text):
        yield "starts-with-front-matter", pointer
    if "<!--" in text:
        yield "hidden-comment", pointer


def _check_model(model: str) -> Broken:
    if any(character.isdigit() for character in model):
        yield "model-is-pinned", "/model"


def _check_entries(entries: Sequence[Entry], pointer: str) -> Broken:
    """Environment variables and headers. Header names ignore case (RFC 9110, section 5.1), variables do not."""
    counts = Counter(_identity(entry) for entry in entries)
    for position, entry in enumerate(entries):
        here = f"{pointer}/{position}"
        if counts[_identity(entry)] > 1:
            yield "listed-twice", f"{here}/name"
        if isinstance(entry, PlainVariable | SecretVariable) and entry.name.upper() in rules.CODE_CHANGING_VARIABLES:
            yield "changes-what-runs", f"{here}/name"
        if isinstance(entry, PlainVariable | PlainHeader):
            yield from _check_value(entry.value, f"{here}/value")


def _identity(entry: Entry) -> str:
    return entry.name.lower() if isinstance(entry, PlainHeader | SecretHeader) else entry.name


def _check_value(value: str, pointer: str) -> Broken:
    if "${" in value or "{env:" in value:
        yield "refers-to-a-variable", pointer
    if value != value.strip():
        yield "outer-space", pointer


def _check_agent(agent: Agent) -> Broken:
    yield from _check_prose(agent.instructions, "/instructions")
    yield from _check_model(agent.model)
    if not agent.tools:
        yield "inherits-all-tools", "/tools"
    for position, tool in enumerate(agent.tools):
        if tool in rules.ALLOW_EVERYTHING:
            yield "may-run-anything", f"/tools/{position}"
    if not set(agent.tools).isdisjoint(agent.denied_tools):
        yield "contradicts-itself", "/denied_tools"


def _check_mcp_server(server: McpServer) -> Broken:
    if server.name in rules.RESERVED_SERVER_NAMES:
        yield "reserved-name", "/name"
    transport = server.transport
    if isinstance(transport, HttpTransport):
        yield from _check_entries(transport.headers, "/transport/headers")
        yield from _check_url(transport.url)
    else:
        yield from _check_entries(transport.environment, "/transport/environment")
        yield from _check_command(transport)


def _check_url(url: str) -> Broken:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        yield "not-encrypted", "/transport/url"
        return
    if parts.scheme != "https" and parts.hostname not in rules.LOCAL_HOSTS:
        yield "not-encrypted", "/transport/url"


def _check_command(transport: StdioTransport) -> Broken:
    program = re.split(r"[/\\]", transport.command)[-1]
    first = program.split()[0].lower()
    if " " in transport.command:
        yield "command-holds-arguments", "/transport/command"
    if first in rules.PRIVILEGED_COMMANDS:
        yield "raises-privileges", "/transport/command"
    if first in rules.SHELLS:
        yield "runs-a-shell", "/transport/command"
    packages = [position for position, argument in enumerate(transport.args) if not argument.startswith("-")]
    if first in rules.PACKAGE_RUNNERS and packages and not _PINNED.fullmatch(transport.args[packages[0]]):
        yield "unpinned-package", f"/transport/args/{packages[0]}"


def _check_document(document: Document) -> Broken:
    yield from _check_prose(document.body, "/body")
    if document.body.count("\n") >= _DOCUMENT_LINES:
        yield "long-document", "/body"
    if _IMPORT.search(document.body):
        yield "imports-a-file", "/body"
    if document.applies_when == "glob" and not document.applies_to:
        yield "applies-to-nothing", "/applies_to"
    if document.applies_when == "always" and document.applies_to:
        yield "globs-without-effect", "/applies_to"
    if document.applies_when == "model-decision" and not document.description.strip():
        yield "nothing-to-decide-by", "/description"
    for position, glob in enumerate(document.applies_to):
        if glob.startswith(("/", "~", "!")) or ".." in re.split(r"[/\\]", glob) or re.match(r"[A-Za-z]:", glob):
            yield "glob-leaves-project", f"/applies_to/{position}"


def _check_settings(settings: Settings) -> Broken:
    permissions = settings.permissions
    yield from _check_entries(settings.environment, "/environment")
    yield from _check_model(settings.model)
    for position, rule in enumerate(permissions.allow):
        if rule in rules.ALLOW_EVERYTHING:
            yield "allows-everything", f"/permissions/allow/{position}"
    counts = Counter([*set(permissions.allow), *set(permissions.ask), *set(permissions.deny)])
    if any(count > 1 for count in counts.values()):
        yield "contradicts-itself", "/permissions"
    if not counts:
        yield "no-rules", "/permissions"


_CHECKS: Final[dict[type[BaseModel], Callable[..., Broken]]] = {
    Agent: _check_agent,
    McpServer: _check_mcp_server,
    Document: _check_document,
    Settings: _check_settings,
}
