"""What may be saved as a resource: content of its kind's schema that breaks no rule and holds no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from pigi.domain.characters import unseen_in_name
from pigi.domain.limits import CONTENT_LENGTH
from pigi.domain.resources.drafts import as_json
from pigi.domain.resources.kinds import RESOURCES
from pigi.domain.resources.lint import HIDDEN, NO_CHOICES, SECRET, Finding, examples_in, finding, lint
from pigi.domain.resources.rules import RULES
from pigi.domain.resources.secrets import Example, Sign, find_in_text
from pigi.errors import Refused
from pigi.flaws import flaws_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pydantic import BaseModel

    from pigi.domain.resources.lint import Choices

ProblemEntry = dict[str, str | int]
"""A JSON pointer and a message: where content breaks its schema, repeating nothing but names of unknown fields."""

WHO_DECIDES: Final = "Your organisation refuses this; its owners and admins can allow it under Settings, Rules."


@dataclass(frozen=True, repr=False)
class CheckedContent:
    """Content that may be saved; ``text`` is its JSON, equal for equal content. Findings are warnings.

    ``examples`` are the values in it that are kept because somebody called them examples.
    """

    kind: str
    name: str
    text: str
    findings: tuple[Finding, ...]
    examples: tuple[Example, ...] = ()


def check_content(
    kind: str,
    content: object,
    examples: Collection[str] = (),
    choices: Choices = NO_CHOICES,
    sign: Sign | None = None,
) -> CheckedContent:
    """``content``, plain JSON values, as it may be saved; ``examples`` names values that somebody called examples.

    ``choices`` are what the organisation made of the rules.

    Raises Refused, with a pointer and a message for each flaw and nothing of the content:
        ``invalid``: it has another form, or breaks a rule of level error.
        ``secret_found``: it holds what looks like a secret. Each is told by ``pointer``, ``line`` and ``kind``;
            ``slot`` says where a secret slot could stand instead, ``example`` what names the value if it is an example;
            without ``sign`` nothing does.
    """
    draft = _validated(kind, content)
    field = RESOURCES[kind].name_field
    name: str = getattr(draft, field)
    findings = lint(draft, field, name, examples, choices, sign)
    errors = [found for found in findings if found.level == "error"]
    if errors:
        raise Refused(_code(errors), errors=[flaw_of(found) for found in errors])
    text = as_text(as_json(draft))
    if len(text) > CONTENT_LENGTH:
        message = f"has more than {CONTENT_LENGTH} characters altogether, written as JSON without spaces"
        raise Refused("invalid", errors=[{"pointer": "", "message": message}])
    return CheckedContent(kind, name, text, findings, examples_in(findings))


def as_text(content: dict[str, Any]) -> str:
    """Content as the JSON that is kept."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def warnings_of(
    kind: str, content: object, examples: Collection[str] = (), choices: Choices = NO_CHOICES
) -> tuple[Finding, ...]:
    """What a person should look at in content that was saved, by today's rules; errors of new rules included."""
    try:
        draft = RESOURCES[kind].model.model_validate(content)
    except ValidationError:
        return ()
    field = RESOURCES[kind].name_field
    return lint(draft, field, getattr(draft, field), examples, choices)


def with_todays_fields(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """``content`` that was saved, with the fields that its kind has gained since at their defaults.

    As it is if it does not have its kind's form any more.
    """
    try:
        return as_json(RESOURCES[kind].model.model_validate(content))
    except ValidationError:
        return content


def check_words(words: Mapping[str, str]) -> None:
    """Refuse names and descriptions that hold a secret (``secret_found``) or invisible characters (``invalid``)."""
    found = _secrets_in(words)
    found += [
        replace(finding(HIDDEN, f"/{field}"), line=one.line, column=one.column, kind=one.what)
        for field, text in words.items()
        for one in unseen_in_name(text)
    ]
    _refuse(found)


def check_secrets(words: Mapping[str, str]) -> None:
    """Refuse words that hold a secret (``secret_found``)."""
    _refuse(_secrets_in(words))


def _secrets_in(words: Mapping[str, str]) -> list[Finding]:
    return [
        replace(finding(SECRET, f"/{field}"), line=text.count("\n", 0, secret.start) + 1, kind=secret.kind)
        for field, text in words.items()
        for secret in find_in_text(text)
        if secret.sure
    ]


def _refuse(found: list[Finding]) -> None:
    if found:
        raise Refused(_code(found), errors=[flaw_of(each) for each in found])


_LINED: Final = ("/body", "/instructions", "/description")


def flaw_of(found: Finding) -> ProblemEntry:
    """A finding as one of a refusal's errors; for a secret with the offer to make it a slot."""
    if found.rule == HIDDEN:
        place = (
            f"line {found.line}, column {found.column}" if found.pointer.endswith(_LINED) else f"column {found.column}"
        )
        message = f"{found.kind} at {place} cannot be seen, and hides or turns text. Remove it."
        told = {"pointer": found.pointer, "message": message, "line": found.line, "column": found.column}
        return {name: value for name, value in told.items() if value is not None}
    if found.rule != SECRET:
        who = "" if RULES[found.rule].fixed else f" {WHO_DECIDES}"
        return {"pointer": found.pointer, "message": found.sentence + who, "rule": found.rule}
    slot, advice = _offer(found.pointer)
    line = f", line {found.line}" if found.line and found.pointer.endswith(_LINED) else ""
    message = f"This looks like a secret ({found.kind}{line}). {advice}"
    told = {"pointer": found.pointer, "message": message, "slot": slot, "line": found.line, "kind": found.kind}
    return {name: value for name, value in {**told, "example": found.example}.items() if value}


def _offer(pointer: str) -> tuple[str, str]:
    """Where a slot could stand, as a JSON pointer ("-" is a new last entry), and what to do in words."""
    entry, _, last = pointer.rpartition("/")
    place = entry.rpartition("/")[0]
    if last == "value" and place.endswith(("/environment", "/headers")):
        return entry, "Make the entry one of kind secret, with a slot that names it."
    if pointer.startswith("/transport/args/"):
        slot = "/transport/environment/-"
        return slot, "Pass it as an environment variable of kind secret, with a slot."
    if pointer == "/transport/url":
        slot = "/transport/headers/-"
        return slot, "Pass it as a header of kind secret, with a slot."
    if last in {"name", "label", "title"}:
        return "", "Call it something else."
    return "", "Write where it is to be found instead, such as the name of an environment variable."


def _code(errors: Iterable[Finding]) -> str:
    return "secret_found" if any(found.rule == SECRET for found in errors) else "invalid"


def _validated(kind: str, content: object) -> BaseModel:
    model = RESOURCES[kind].model
    flaws: list[Any]
    try:
        return model.model_validate(content)
    except ValidationError as error:
        flaws = flaws_of(error, model)
    # Raising inside the handler would tie the content to the error through its context.
    raise Refused("invalid", errors=flaws)
