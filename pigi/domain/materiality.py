"""Whether a change of the policy is material or wording, computed from what changed (promise P39).

Facts that a sentence gives as data are compared, and so is its text: numbers, names, addresses, how far it goes, and
words that matter where data is concerned. What is left may be a slip of the pen, another word for the same, or a word
of those that say nothing of data. Any other word may say anything: no program can tell, and in doubt a change is
material.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pigi.domain.policy import FACTS, Basis
from pigi.domain.policy_words import ACTS, CATEGORIES, HARMLESS, PLACES, PURPOSES, RECIPIENTS, TERMS
from pigi.domain.wording import Reading, is_slip, read_text

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from pigi.domain.policy import Policy, Sentence

Facts: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""What the code does: kind of fact to key to what it says of it."""
UNKNOWN_WORDS = 3
"""How many words that no table knows may differ, counted on both sides, in what the code says of itself, which people
change with the code under their eyes. In a sentence none may: "staff" for "members" is one for one."""
HARMLESS_WORDS = 6
"""How many words that say nothing of data may differ before a change is in doubt."""
VOCABULARIES = {
    "who gets data": RECIPIENTS,
    "what data is for": PURPOSES,
    "which data": CATEGORIES,
    "what is done with data": ACTS,
    "where data is": PLACES,
    "on which terms": TERMS,
}
TITLES = {"recipients": "recipients", "purposes": "purposes", "categories": "categories of data", "periods": "periods"}


@dataclass(frozen=True)
class PolicyChange:
    """What became of a sentence, of a section's title or order, or of something that the code does.

    Attributes:
        id: the sentence's, the section's, or ``code:`` with the kind and key of a fact.
        kind: added, removed or changed.
        reasons: why it is material, in words; none if it is wording.
    """

    id: str
    kind: str
    reasons: tuple[str, ...] = ()


def compare_policies(before: Policy, after: Policy) -> list[PolicyChange]:
    """What changed from one policy to the next, in the order of the newer one, removed sentences last."""
    old, new = ({one.id: one for one in policy.sentences} for policy in (before, after))
    known = read_text(" ".join(one.text for one in before.sentences))
    changes = [_added(one, known) for key, one in new.items() if key not in old]
    changes += [_changed(old[key], one, known) for key, one in new.items() if key in old and old[key] != one]
    changes += [PolicyChange(key, "removed", ("a sentence is gone",)) for key in old if key not in new]
    order = {key: place for place, key in enumerate(new)}
    changes.sort(key=lambda change: order.get(change.id, len(order)))
    return [*changes, *_sections(before, after)]


def _sections(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    """Titles and order: what a section is called is no fact, but must not smuggle one in."""
    old = {section.id: section for section in before.sections}
    for section in after.sections:
        was = old.pop(section.id, None)
        if was is None:
            yield PolicyChange(section.id, "added", tuple(_text_reasons("", section.title, read_text(""))))
        elif was.title != section.title:
            yield PolicyChange(
                section.id, "changed", tuple(_text_reasons(was.title, section.title, read_text(was.title)))
            )
        elif [one.id for one in was.sentences] != [one.id for one in section.sentences]:
            yield PolicyChange(section.id, "changed")
    yield from (PolicyChange(key, "removed") for key in old)


def _added(sentence: Sentence, known: Reading) -> PolicyChange:
    reasons = [f"it says something new of {TITLES[name]}" for name in FACTS if getattr(sentence, name)]
    reasons += _text_reasons("", sentence.text, known)
    return PolicyChange(sentence.id, "added", tuple(reasons))


def _changed(before: Sentence, after: Sentence, known: Reading) -> PolicyChange:
    reasons = [
        f"{TITLES[name]} are others: {_difference(getattr(before, name), getattr(after, name))}"
        for name in FACTS
        if set(getattr(before, name)) != set(getattr(after, name))
    ]
    if dropped := set(before.promises) - set(after.promises):
        reasons.append(f"it rests no longer on {', '.join(sorted(dropped))}")
    if before.basis is Basis.CONTROL and after.basis is not Basis.CONTROL:
        reasons.append("programs no longer check it")
    return PolicyChange(after.id, "changed", (*reasons, *_text_reasons(before.text, after.text, known)))


def _difference(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    gone = [f"without {key}" for key in before if key not in after]
    return ", ".join(gone + [f"with {key}" for key in after if key not in before])


def _text_reasons(before: str, after: str, known: Reading, *, unknown: int = 0) -> Iterator[str]:
    """Why a change of text is material, in words.

    ``known`` is the whole of the policy before, ``unknown`` how many words that no table knows may differ.
    """
    if before == after:
        return
    old, new = read_text(before), read_text(after)
    old = old.mended(new, known)
    for what, was, now in (
        ("another period or number", old.numbers, new.numbers),
        ("another address", old.addresses, new.addresses),
        ("it goes further, or less far", old.modality, new.modality),
    ):
        if was != now:
            yield f"{what}: {_words(was - now)} → {_words(now - was)}"
    names = (old.names_beside(new, known), new.names_beside(old, known))
    if any(names):
        yield f"another name: {_words(names[0])} → {_words(names[1])}"
    for what, vocabulary in VOCABULARIES.items():
        was_said, is_said = old.words & vocabulary, new.words & vocabulary
        if was_said != is_said:
            yield f"{what} is said otherwise: {_words(was_said - is_said)} → {_words(is_said - was_said)}"
    yield from _doubts(old, new, unknown)


def _doubts(before: Reading, after: Reading, unknown: int) -> Iterator[str]:
    """Why the other words, who does something, or the order leave a doubt."""
    changed = _neutral_changes(before, after)
    strange = [word for word in changed if word not in HARMLESS]
    if len(strange) > unknown:
        yield f"no program can tell what these mean: {_words(set(strange))}"
    elif len(changed) - len(strange) > HARMLESS_WORDS:
        yield "so many words are others that no program can tell"
    elif before.joins != after.joins and before.neutral.total() != after.neutral.total():
        yield "it lists more, or less"
    you, pigi = (now - was for was, now in zip(before.parties, after.parties, strict=True))
    if you * pigi < 0:
        yield "you and Pigi change places"
    if not changed and before.turned != after.turned:
        yield "the same words in another order"


def _words(found: Counter[str] | set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(word.replace("_", " ") for word in found)) or "none"


def _neutral_changes(before: Reading, after: Reading) -> list[str]:
    """Which neutral words differ, slips of the pen aside."""
    gone, come = list((before.neutral - after.neutral).elements()), list((after.neutral - before.neutral).elements())
    for word in list(gone):
        twin = next((other for other in come if is_slip(word, other)), None)
        if twin is not None:
            gone.remove(word)
            come.remove(twin)
    return gone + come


def compare_facts(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> list[PolicyChange]:
    """What the code does otherwise than when the last version was published, whatever the text says."""
    changes = []
    for kind, title in TITLES.items():
        old, new = before.get(kind, {}), after.get(kind, {})
        for key in sorted({*old, *new}):
            place = f"code:{kind}:{key}"
            if key not in old:
                changes.append(PolicyChange(place, "added", (f"{title} of the code have one more: {key}",)))
            elif key not in new:
                changes.append(PolicyChange(place, "removed"))
            elif old[key] != new[key]:
                reasons = tuple(_text_reasons(old[key], new[key], read_text(old[key]), unknown=UNKNOWN_WORDS))
                changes.append(PolicyChange(place, "changed", reasons))
    return changes
