"""The privacy policy as data: sections of sentences with permanent IDs, each with the promises that it rests on.

`pigi/policy/policy.toml` is the text of this release. What an installation shows is a version that was published
(`pigi.operations.policy`), with the operator's facts filled in, so that its words never change afterwards.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NoReturn

import rfc8785

from pigi.domain.privacy import Category, Recipient
from pigi.domain.promises import PROMISES
from pigi.domain.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHIPPED = "policy.toml"
NOTICE = timedelta(days=30)
"""How long before it takes effect a material version is announced (promise P39)."""
ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
ID_LENGTH = 80
TEXT_LENGTH = 4000
TITLE_LENGTH = 200
MOST_SENTENCES = 2000
BLANK = re.compile(r"\{([a-z_]*)\}")
BLANKS = frozenset(
    {"operator", "privacy_address", "support_address", "security_address", "public_url", "region", "fonts"}
)
"""What an installation fills in: facts of whoever runs it, from its settings."""


class Basis(StrEnum):
    """What makes a sentence true; the names are permanent."""

    CONTROL = "control"
    """Programs check it: the controls of its promises."""
    ATTESTED = "attested"
    """Somebody answers for it."""
    DEFINITION = "definition"
    """It says what a word means, or what follows from another sentence."""
    CONTACT = "contact"
    """It says whom to turn to."""


class Change(StrEnum):
    """What a version changes; the names are permanent."""

    FIRST = "first"
    WORDING = "wording"
    MATERIAL = "material"


class PolicyError(ValueError):
    """A policy that cannot be one; ``place`` is where in it, such as ``sentences[3].text``."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def refuse(place: str, problem: str) -> NoReturn:
    """Raise PolicyError."""
    raise PolicyError(place, problem)


@dataclass(frozen=True)
class Sentence:
    """One sentence, or a few that belong together, with the facts that it states as keys of the code's inventory."""

    id: str
    text: str
    promises: tuple[str, ...] = ()
    basis: Basis = Basis.CONTROL
    recipients: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


FACTS = ("recipients", "purposes", "categories", "periods")
"""The fields of a sentence that hold facts."""


@dataclass(frozen=True)
class Section:
    """Sentences under a title."""

    id: str
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Policy:
    """A whole policy, in the order in which it is read."""

    sections: tuple[Section, ...]

    @property
    def sentences(self) -> Iterator[Sentence]:
        """All sentences, in order."""
        return (sentence for section in self.sections for sentence in section.sentences)

    def resting_on(self, promise: str) -> list[str]:
        """The IDs of the sentences that rest on a promise."""
        return [sentence.id for sentence in self.sentences if promise in sentence.promises]


@cache
def shipped_policy() -> Policy:
    """The text of this release, its blanks not filled in; raises PolicyError if it cannot be one."""
    return read_policy(tomllib.loads(files("pigi.policy").joinpath(SHIPPED).read_text("utf-8")))


@cache
def font_clauses() -> dict[str, str]:
    """What the blank ``{fonts}`` is filled with, by PIGI_FONTS."""
    data = tomllib.loads(files("pigi.policy").joinpath(SHIPPED).read_text("utf-8"))
    return {str(choice): str(clause) for choice, clause in data["fonts"].items()}


def read_policy(data: Mapping[str, Any], *, purposes: Iterable[str] | None = None) -> Policy:
    """The policy that nested data says; with ``purposes``, those that a sentence may name.

    Raises PolicyError for a field that is missing or of the wrong sort, an ID that is taken or unfit, a promise or a
    fact that the code does not know, a blank that nobody fills in, and a promise that no sentence rests on.
    """
    policy = Policy(tuple(_section(one, f"sections[{n}]") for n, one in enumerate(_list(data, "sections", "policy"))))
    refuse_unfit(policy, purposes=purposes)
    return policy


def _section(data: Any, place: str) -> Section:
    sentences = _list(data, "sentences", place)
    return Section(
        _text(data, "id", place),
        _text(data, "title", place),
        tuple(read_sentence(one, f"{place}.sentences[{n}]") for n, one in enumerate(sentences)),
    )


def read_sentence(data: Any, place: str, before: Sentence | None = None) -> Sentence:
    """A sentence; what it does not say of its basis and facts is as in ``before``. Raises PolicyError."""
    plain = Sentence(_text(data, "id", place), _text(data, "text", place).strip(), _keys(data, "promises", place))
    # A new sentence without promises can only define something or name a contact.
    kept = before or replace(plain, basis=Basis.CONTROL if plain.promises else Basis.DEFINITION)
    basis = data.get("basis", kept.basis)
    if basis not in list(Basis):
        refuse(f"{place}.basis", f"must be one of {', '.join(Basis)}")
    facts: dict[str, Any] = {name: _keys(data, name, place) if name in data else getattr(kept, name) for name in FACTS}
    return replace(plain, basis=Basis(basis), **facts)


def refuse_unfit(policy: Policy, *, purposes: Iterable[str] | None = None) -> None:
    """Raise PolicyError, naming the place, unless the policy holds together."""
    known = {
        "recipients": {one.value for one in Recipient},
        "categories": {one.value for one in Category},
        "periods": {one.value for one in Retention},
    } | ({} if purposes is None else {"purposes": set(purposes)})
    _refuse_unfit_ids([section.id for section in policy.sections], "section")
    _refuse_unfit_ids([sentence.id for sentence in policy.sentences], "sentence")
    for section in policy.sections:
        _refuse_unfit_text(f"section {section.id}", section.title, TITLE_LENGTH)
    for sentence in policy.sentences:
        _refuse_unfit_text(f"sentence {sentence.id}", sentence.text, TEXT_LENGTH)
        _refuse_unknown(sentence, known)
    if missing := [promise for promise in PROMISES if not policy.resting_on(promise)]:
        refuse("promises", f"no sentence rests on {', '.join(missing)}")


def _refuse_unfit_ids(ids: list[str], what: str) -> None:
    if not 1 <= len(ids) <= MOST_SENTENCES:
        refuse(f"{what}s", f"there must be 1 to {MOST_SENTENCES}")
    for one, times in Counter(ids).items():
        if not ID.fullmatch(one) or len(one) > ID_LENGTH:
            refuse(f"{what} {one[:ID_LENGTH]}", "an ID is small letters and digits, with hyphens between")
        if times > 1:
            refuse(f"{what} {one}", "the ID is there twice")


def _refuse_unfit_text(place: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest:
        refuse(place, f"the text must have 1 to {longest} characters")
    if any(not sign.isprintable() and sign != "\n" for sign in text):
        refuse(place, "the text has a sign that cannot be shown")


def _refuse_unknown(sentence: Sentence, known: Mapping[str, set[str]]) -> None:
    place = f"sentence {sentence.id}"
    for promise in sentence.promises:
        if promise not in PROMISES:
            refuse(place, f"there is no promise {promise[:ID_LENGTH]}")
    if not sentence.promises and sentence.basis in {Basis.CONTROL, Basis.ATTESTED}:
        refuse(place, "it names no promise, so nothing would show whether it holds")
    for name, allowed in known.items():
        for key in getattr(sentence, name):
            if key not in allowed:
                refuse(place, f"{name} has {key[:ID_LENGTH]}, which the inventory does not")


def fill_in(policy: Policy, values: Mapping[str, str]) -> Policy:
    """The policy with its blanks filled in; raises PolicyError for a blank that nobody fills in."""

    def filled(sentence: Sentence) -> Sentence:
        def value(found: re.Match[str]) -> str:
            if found.group(1) not in values:
                refuse(f"sentence {sentence.id}", f"nobody fills in {found.group()}")
            return values[found.group(1)]

        return replace(sentence, text=BLANK.sub(value, sentence.text))

    return Policy(
        tuple(replace(section, sentences=tuple(map(filled, section.sentences))) for section in policy.sections)
    )


def write_policy(policy: Policy) -> dict[str, Any]:
    """The policy as flat data: what people read, what a file that is published says, and what a digest is over."""
    return {
        "sections": [{"id": section.id, "title": section.title} for section in policy.sections],
        "sentences": [
            {
                "id": sentence.id,
                "section": section.id,
                "text": sentence.text,
                "promises": list(sentence.promises),
                "basis": sentence.basis.value,
                **{name: list(getattr(sentence, name)) for name in FACTS},
            }
            for section in policy.sections
            for sentence in section.sentences
        ],
    }


def read_flat_policy(data: Any, before: Policy | None = None, *, checked: bool = True) -> Policy:
    """The policy that flat data says; sections, bases and facts that it leaves out are as in ``before``.

    Fields that it does not know are left aside. Raises PolicyError as `read_policy` does; if not ``checked``, which is
    for what was published, only if it has not the form.
    """
    given, kept = _list(data, "sentences", "policy"), before or Policy(())
    titles = {section.id: section.title for section in kept.sections}
    if "sections" in data:
        titles = {_text(one, "id", f"sections[{n}]"): _text(one, "title", f"sections[{n}]")
                  for n, one in enumerate(_list(data, "sections", "policy"))}  # fmt: skip
    places = {sentence.id: section.id for section in kept.sections for sentence in section.sentences}
    known = {sentence.id: sentence for sentence in kept.sentences}
    found: dict[str, list[Sentence]] = {key: [] for key in titles}
    section = next(iter(titles), "")
    for n, one in enumerate(given):
        place = f"sentences[{n}]"
        sentence = read_sentence(one, place, known.get(str(one.get("id"))) if isinstance(one, dict) else None)
        section = _text(one, "section", place) if "section" in one else places.get(sentence.id, section)
        if section not in found:
            refuse(f"{place}.section", f"there is no section {section[:ID_LENGTH]}")
        found[section].append(sentence)
    policy = Policy(tuple(Section(key, titles[key], tuple(own)) for key, own in found.items() if own))
    if checked:
        refuse_unfit(policy)
    return policy


def digest_of(policy: Policy) -> str:
    """SHA-256, in hex, over the policy's flat data in the form of RFC 8785."""
    return hashlib.sha256(rfc8785.dumps(write_policy(policy))).hexdigest()


def _list(data: Any, name: str, place: str) -> list[Any]:
    found = data.get(name) if isinstance(data, dict) else None
    if not isinstance(found, list):
        refuse(f"{place}.{name}", "must be a list")
    return found


def _text(data: Any, name: str, place: str) -> str:
    found = data.get(name) if isinstance(data, dict) else None
    if not isinstance(found, str):
        refuse(f"{place}.{name}", "must be text")
    return found


def _keys(data: Any, name: str, place: str) -> tuple[str, ...]:
    found = _list(data, name, place)
    if not all(isinstance(key, str) for key in found):
        refuse(f"{place}.{name}", "must be a list of texts")
    if len(set(found)) != len(found):
        refuse(f"{place}.{name}", "names something twice")
    return tuple(found)
