"""Passwords: which may be chosen, and in which form they are compared.

After NIST SP 800-63B, section 5.1.1.2: length and a list of what attackers try first, and no rule of
composition. The list is zxcvbn's: 30,000 passwords from leaks, and names and words, also in their usual
disguises. Nothing here keeps or repeats a password.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHORTEST: Final = 10
"""Characters; SP 800-63B asks for 8 at least. Fewer than 10 can be tried through by whoever steals the hashes."""
LONGEST: Final = 256
"""Characters; SP 800-63B asks that 64 be allowed. Argon2 takes any length, but a request should not."""
LEAST_SCORE: Final = 3
"""Of zxcvbn's 0 to 4: guessing takes more than 10^8 tries, some days for one whose hash was stolen."""
LOOKED_AT: Final = 24
"""Characters that are judged; a longer password is no easier to guess than its beginning.

Judging takes 0.2 s at worst at this length, and several seconds at three times the length.
"""
PRODUCT: Final = "pigi"
LEAST_OWN: Final = 6
"""Letters beside what anybody can know of a person, in a password that is mostly that."""

TOO_SHORT: Final = f"must have at least {SHORTEST} characters"
TOO_LONG: Final = f"must have at most {LONGEST} characters"
UNTYPEABLE: Final = "must not contain control characters"
PERSONAL: Final = "is made of your name, your address or Pigi's name; use words that have nothing to do with you"
COMMON: Final = "is among the first that attackers try; three or four words that do not belong together are better"

_WORD = re.compile(r"[^\W\d_]{3,}")
_JOINT = re.compile(r"(?<=[^\W\d_])[ ._-]+(?=[^\W\d_])")
"""What parts two words: "letmein letmein" is judged as the repetition that it is."""
_CONTROLS = frozenset({"Cc", "Cs"})


def normalise(password: str) -> str:
    """The form that is counted and hashed: NFC, all spaces alike (RFC 8265, section 4.2: OpaqueString).

    So a password is the same on keyboards that compose accents and on those that do not. Capitals, width and
    spaces at the ends count, since nothing says that they were not meant.
    """
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in password)
    return unicodedata.normalize("NFC", spaced)


def flaw_of(password: str, name: str, email: str) -> str | None:
    """Why this person may not choose it, as the end of a sentence that begins with "Password"; None if they may."""
    chosen = normalise(password)
    if len(chosen) < SHORTEST:
        return TOO_SHORT
    if len(chosen) > LONGEST:
        return TOO_LONG
    if any(unicodedata.category(sign) in _CONTROLS for sign in chosen):
        return UNTYPEABLE
    known = _known(name, email)
    if _is_personal(chosen, known):
        return PERSONAL
    least = min(_score()(form[:LOOKED_AT], known) for form in {chosen, _JOINT.sub("", chosen)})
    return COMMON if least < LEAST_SCORE else None


def _known(name: str, email: str) -> list[str]:
    """Words about a person that are no secret, the longest first."""
    return sorted({PRODUCT, *_WORD.findall(f"{name} {email}".casefold())}, key=lambda word: (-len(word), word))


def _is_personal(password: str, known: Iterable[str]) -> bool:
    """Whether known words make up half of it or more, with hardly a letter beside them."""
    folded = password.casefold()
    left = re.sub("|".join(map(re.escape, known)), "", folded)
    return 2 * len(left) <= len(folded) and sum(sign.isalpha() for sign in left) < LEAST_OWN


@cache
def _score() -> Callable[[str, Iterable[str]], int]:
    """How hard a password is to guess, from 0 to 4, given known words. Loads zxcvbn, with its lists, when first used.

    Its parts are called rather than its front, which would keep each person's words in a global until the next.
    """
    from zxcvbn import matching, scoring, time_estimates  # noqa: PLC0415 - lists that only some processes need

    def score(password: str, known: Iterable[str]) -> int:
        lists = {**matching.RANKED_DICTIONARIES, "user_inputs": matching.build_ranked_dict(known)}
        found = scoring.most_guessable_match_sequence(password, matching.omnimatch(password, lists))
        return time_estimates.guesses_to_score(Decimal(found["guesses"]))

    return score
