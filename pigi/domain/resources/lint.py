"""Checking a resource against the rules that a schema cannot hold.

A check yields the id of a broken rule and where; `pigi.domain.resources.rules` has the words.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.characters import Unseen, unseen_in_name, unseen_in_prose, unseen_in_value
from pigi.domain.resources import rules
from pigi.domain.resources.checks.servers import check_server
from pigi.domain.resources.checks.settings import check_settings
from pigi.domain.resources.kinds import Agent, Document, McpServer, Settings
from pigi.domain.resources.risks.commands import pipes_a_download
from pigi.domain.resources.risks.extensions import check_extensions
from pigi.domain.resources.risks.imports import imported_lines
from pigi.domain.resources.risks.permissions import allows_everything
from pigi.domain.resources.secrets import Example, Sign, digest_of, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    Broken = Iterator[tuple[str, str]]
    Choices = Mapping[str, rules.Choice]

_PROSE_FIELDS: Final = frozenset({"instructions", "body", "description", "purpose", "title"})
_NAME_FIELDS: Final = frozenset({"title", "display_name", "argument_hint"})
_FRONT_MATTER = re.compile(r"\s*---[ \t]*(?:\n|$)")
_DOCUMENT_LINES: Final = 200
NO_CHOICES: Final[Mapping[str, rules.Choice]] = MappingProxyType({})


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


def finding(rule: str, pointer: str, level: rules.Level | None = None) -> Finding:
    """The finding that ``rule`` is broken at ``pointer``; an unknown rule raises KeyError."""
    return Finding(rule, level or rules.RULES[rule].level, rules.RULES[rule].sentence, pointer)


MOST_SECRETS: Final = 50
"""Secrets that are pointed at; whoever sends more has sent another file."""
HIDDEN: Final = "hidden-characters"
SECRET: Final = "literal-secret"  # noqa: S105 - a rule's id
IMPORTS: Final = "imports-a-file"
MOST_IMPORTS: Final = 20
MAYBE: Final = "maybe-a-secret"
DECLARED: Final = "declared-example"


def lint(  # noqa: PLR0913 - what is judged, and by what
    draft: BaseModel,
    name_field: str,
    expected_name: str,
    examples: Collection[str] = (),
    choices: Choices = NO_CHOICES,
    sign: Sign | None = None,
    *,
    strict: bool = False,
) -> tuple[Finding, ...]:
    """Every rule that ``draft`` breaks, errors first, in the order of its fields; empty means that it is fine.

    ``examples`` names values of which somebody said that they are no secrets; ``choices`` are the organisation's;
    ``strict`` is for what Pigi drafts. Without ``sign`` no more examples are offered.
    """
    values = draft.model_dump(mode="json")
    secret = _check_secrets(values, examples, sign)
    broken = list(_check_texts(values, ""))
    if getattr(draft, name_field) != expected_name:
        broken.append(("name-differs", f"/{name_field}"))
    broken.extend(_CHECKS[type(draft)](draft))
    broken.extend(check_extensions(values.get("extensions", {}), "/extensions"))
    findings = [
        finding(rule, pointer, rules.level_of(rule, choices, strict=strict)) for rule, pointer in dict.fromkeys(broken)
    ]
    findings.extend(_check_imports(draft, choices))
    unseen = islice(_check_characters(values), MOST_SECRETS)
    return tuple(sorted([*secret, *unseen, *findings], key=lambda found: found.level))


def _check_imports(draft: BaseModel, choices: Choices) -> Iterator[Finding]:
    level = rules.level_of(IMPORTS, choices)
    if isinstance(draft, Document):
        lines = islice(imported_lines(draft.body), MOST_IMPORTS)
        yield from (replace(finding(IMPORTS, "/body", level), line=line) for line in lines)


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
    if pointer.startswith("/permissions/deny/"):  # which forbids what it names
        return
    prose = pointer.rpartition("/")[2] in _PROSE_FIELDS
    if any(switch in text.lower() for switch in rules.APPROVAL_SWITCHES):
        yield "mentions-no-approval" if prose else "switches-off-approval", pointer
    if not prose and pipes_a_download(text):
        yield "pipes-a-download", pointer


def _check_prose(text: str, pointer: str) -> Broken:
    if _FRONT_MATTER.match(text):
        yield "starts-with-front-matter", pointer
    if "<!--" in text:
        yield "hidden-comment", pointer


def _check_model(model: str) -> Broken:
    if any(character.isdigit() for character in model):
        yield "model-is-pinned", "/model"


def _check_agent(agent: Agent) -> Broken:
    yield from _check_prose(agent.instructions, "/instructions")
    yield from _check_model(agent.model)
    if not agent.tools:
        yield "inherits-all-tools", "/tools"
    for position, tool in enumerate(agent.tools):
        if allows_everything(tool):
            yield "may-run-anything", f"/tools/{position}"
    if not agent.description.strip():
        yield "nothing-to-delegate-by", "/description"
    if not set(agent.tools).isdisjoint(agent.denied_tools):
        yield "contradicts-itself", "/denied_tools"


def _check_document(document: Document) -> Broken:
    yield from _check_prose(document.body, "/body")
    if document.body.count("\n") >= _DOCUMENT_LINES:
        yield "long-document", "/body"
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
    yield from check_settings(settings)
    yield from _check_model(settings.model)


_CHECKS: Final[dict[type[BaseModel], Callable[..., Broken]]] = {
    Agent: _check_agent,
    McpServer: check_server,
    Document: _check_document,
    Settings: _check_settings,
}
