"""Reading a sentence of the policy for what it says: numbers, names, how far it goes, and which words it has."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile, takewhile

from pigi.domain.policy_words import (
    ACTS,
    CATEGORIES,
    FUNCTION,
    MINUTES,
    MODALITY,
    NUMBERS,
    PLACES,
    PURPOSES,
    RECIPIENTS,
    SAME,
    TERMS,
    UNITS,
)

TOKEN = re.compile(
    r"(?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s),;]*)?)"
    r"|(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<word>[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|[%€$£])"
    r"|(?P<end>[.!?:;\u201c\u201d\"\n\u2013\u2014])"
)
SPELT_OUT = (
    (re.compile(r"\b(?:can['\u2019]t|cannot)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon['\u2019]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"n['\u2019]t\b", re.IGNORECASE), " not"),
    (re.compile(r"['\u2019]ll\b", re.IGNORECASE), " will"),
    (re.compile(r"['\u2019]ve\b", re.IGNORECASE), " have"),
    (re.compile(r"['\u2019]re\b", re.IGNORECASE), " are"),
    (re.compile(r"\bno one\b", re.IGNORECASE), "nobody"),
    (re.compile(r"\b(?:has|have) to\b", re.IGNORECASE), "must"),
    (re.compile(r"\byou (?:may|can)\b", re.IGNORECASE), "you"),
    (re.compile(r"\bat most\b", re.IGNORECASE), "atmost"),
    (re.compile(r"\bat least\b", re.IGNORECASE), "atleast"),
    (re.compile(r"\b(?:at any time|whenever you (?:like|want|wish))\b", re.IGNORECASE), "anytime"),
    (re.compile(r"\bon request\b", re.IGNORECASE), "onrequest"),
    (re.compile(r"\bopen to the public\b", re.IGNORECASE), "public"),
    (re.compile(r"\b(?:more|further) (details|below|above)\b", re.IGNORECASE), r"\1"),
    (re.compile(r"\btakes? (\w+) seriously\b", re.IGNORECASE), r"care about \1"),
)
MEANT = {"atmost": "at_most", "atleast": "at_least", "onrequest": "on_request", "anytime": "any_time"}
SLIP_LENGTH = 5
"""Shorter words are others rather than slips: sold and told, may and way."""
LONG = 8
SLIP_SIGNS = 2
"""Signs that differ in a slip in a long word, or of two signs that changed places; one in a shorter word."""
COUNTED = frozenset({*RECIPIENTS, *PURPOSES, *CATEGORIES, *ACTS, *PLACES, *TERMS})
NOT_NEUTRAL = COUNTED | MODALITY | FUNCTION | UNITS
JOINS = frozenset({"and", "or"})
TURNS = frozenset(
    {"before", "after", "until", "unless", "without", "not", "never", "no", "only", "but", "from", "than"}
)
"""Words that turn what follows them: the same words in another order say another thing."""
YOU, PIGI = frozenset({"you", "your", "yours"}), frozenset({"pigi", "pigis"})
ENDS = (FUNCTION - PIGI) | UNITS | TURNS
"""Where the words end that a turning word bears on."""
SUFFIXES = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", ""), ("ly", ""))


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes:
        numbers: numbers with their units, periods of up to weeks in minutes.
        addresses: of mail, hosts and pages.
        modality: words that deny, limit, strengthen or weaken.
        names: words that are written as names, and are not the first of a sentence.
        words: all words, by their lemma.
        neutral: those that are none of the above and in no vocabulary, with their number.
        joins: how often it says "and" or "or".
        turned: each word of `TURNS` with the words that it bears on.
        parties: how often it speaks of the reader, and of Pigi.
    """

    numbers: Counter[str]
    addresses: Counter[str]
    modality: Counter[str]
    names: frozenset[str]
    words: frozenset[str]
    neutral: Counter[str]
    joins: int
    turned: Counter[tuple[str, frozenset[str]]]
    parties: tuple[int, int]

    def names_beside(self, other: Reading, known: Reading) -> set[str]:
        """Names here that the other reading does not have as words; also first words that ``known`` has as names."""
        names = self.names | (self.words & known.names)
        return {name for name in names if name not in other.words and name not in FUNCTION | MODALITY}

    def mended(self, after: Reading, known: Reading) -> Reading:
        """This reading with those words put right that a later one only spells otherwise."""
        words, names, neutral = set(self.words), set(self.names), self.neutral.copy()
        for word in self.neutral:
            right = next((one for one in after.words - self.words if _is_mending(word, one, after, known)), None)
            if right is not None and right not in MODALITY:
                words.discard(word)
                words.add(right)
                names.discard(word)
                neutral[right] += neutral.pop(word) if right in after.neutral else 0
                neutral.pop(word, None)
        return replace(self, words=frozenset(words), names=frozenset(names), neutral=neutral)


def _is_mending(word: str, right: str, after: Reading, known: Reading) -> bool:
    """A name counts as put right only if it is one that readers know."""
    return is_slip(word, right) and (right not in after.names or right in known.words)


@cache
def lemma(word: str) -> str:
    """A word without its endings, or the first of those that say the same."""
    plain = word.casefold().replace("\u2019", "'")
    plain = plain.removesuffix("'s").removesuffix("'")
    if plain in SAME:
        return SAME[plain]
    if plain in MODALITY or plain in FUNCTION or plain in COUNTED or plain in NUMBERS:
        return plain
    for suffix, instead in SUFFIXES:
        stem = plain.removesuffix(suffix) + instead
        if plain.endswith(suffix) and len(stem) > 2:  # noqa: PLR2004 - shorter is no word
            return SAME.get(stem, stem)
    return plain


def read_text(text: str) -> Reading:
    """What a text says."""
    for form, spelt in SPELT_OUT:
        text = form.sub(spelt, text)
    found = [(match.lastgroup or "", match.group()) for match in TOKEN.finditer(text)]
    numbers, addresses, named, said = Counter[str](), Counter[str](), set[str](), list[str]()
    for place, (kind, written) in enumerate(found):
        following = lemma(found[place + 1][1]) if place + 1 < len(found) else ""
        number = _number(kind, written, following)
        if number is not None:
            numbers[_amount(number, following)] += 1
        elif kind == "address":
            addresses[written.casefold().rstrip("/.")] += 1
        elif kind == "word":
            said.append(MEANT.get(written, lemma(written)))
            named |= {said[-1]} if _is_name(written, found[place - 1][0] if place else "end") else set()
    return Reading(
        numbers,
        addresses,
        Counter(word for word in said if word in MODALITY),
        frozenset(named - {"pigi"}),
        frozenset(said),
        Counter(word for word in said if word not in NOT_NEUTRAL),
        sum(word in JOINS for word in said),
        Counter((word, _borne_on(said[place + 1 :])) for place, word in enumerate(said) if word in TURNS),
        (sum(word in YOU for word in said), sum(word in PIGI for word in said)),
    )


def _borne_on(following: list[str]) -> frozenset[str]:
    """The next words that are no function words, with those that an "and" or "or" joins to them."""
    rest = dropwhile(lambda word: word in FUNCTION - PIGI, following)
    return frozenset(takewhile(lambda word: word in JOINS or word not in ENDS, rest)) - JOINS


def _number(kind: str, written: str, following: str) -> float | None:
    if kind == "number":
        return float(written.replace(",", "")) if written.count(".") <= 1 else None
    plain = written.casefold()
    if plain in {"a", "an", "one"}:
        return 1 if following in UNITS else None
    return NUMBERS.get(plain) if kind == "word" else None


def _amount(number: float, unit: str) -> str:
    if unit in MINUTES:
        # A week is 7 days, and 24 hours are one: said in the largest of these that comes out whole.
        minutes = number * MINUTES[unit]
        size, name = next(
            ((MINUTES[one], one) for one in ("day", "hour") if minutes % MINUTES[one] == 0), (1, "minute")
        )
        return f"{minutes / size:g} {name}{'' if minutes == size else 's'}"
    return f"{number:g} {unit}" if unit in UNITS else f"{number:g}"


def _is_name(written: str, before: str) -> bool:
    """Written large where ordinary words are not, or with capitals within."""
    inner = any(sign.isupper() for sign in written[1:])
    return inner or (written[0].isupper() and before != "end" and written != "I")


def is_slip(word: str, other: str) -> bool:
    """Whether one of two words is likely a slip of the pen for the other: members and numbers are two words."""
    if min(len(word), len(other)) < SLIP_LENGTH or word in COUNTED or word in MODALITY or word[0] != other[0]:
        return False
    swapped = sorted(word) == sorted(other)
    return _distance(word, other) <= (SLIP_SIGNS if swapped or min(len(word), len(other)) >= LONG else 1)


def _distance(one: str, other: str) -> int:
    """Signs to change, add or leave out (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        above, row[0] = row[0], place
        for column, twin in enumerate(other, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (sign != twin))
    return row[-1]
