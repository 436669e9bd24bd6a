"""Making hostile texts of what a reader takes: examples that are altered, pieces in any order, and rubbish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

SIGNS = (
    "\0\x01\t\n\x0b\x0c\r\x1f\x7f\x80\x85\xa0\xadÿßé ,;:=\"'`\\/|%+-_.@*?!#$^&~()[]{}<>0123456789aAfFzZ"
    "\u0131\u0301\u0660\u06f3\u200b\u2028\u202e\ufeff\uffff\ud800\udfff\U0001f600\U000e0041"
)
"""Signs on which readers stumble: controls, separators, digits of other scripts, halves of pairs, what hides."""
LONGEST_RUN = 40


@dataclass(frozen=True)
class Grammar:
    """``good`` are texts that are read; ``pieces`` are what such texts are made of.

    ``wire`` says that the text comes as bytes that WSGI shows as Latin-1, so no other sign can be in it.
    """

    good: tuple[str, ...]
    pieces: tuple[str, ...] = ()
    wire: bool = False

    def text(self, random: Random) -> str:
        """One text, of any of the sorts."""
        sort = random.random()
        if sort < 0.6:
            made = random.choice(self.good)
            for _ in range(random.randrange(4)):
                made = self._altered(made, random)
        elif sort < 0.9:
            made = "".join(self._piece(random) for _ in range(random.randrange(10)))
        else:
            made = "".join(random.choice(SIGNS) for _ in range(random.randrange(24)))
        return on_the_wire(made) if self.wire else made

    def pumped(self, length: int) -> Iterator[str]:
        """Texts of about ``length`` characters in which one piece comes again and again."""
        for piece in dict.fromkeys((*self.pieces, *'a0 ,."\\-=(')):
            for before in ("", self.good[0]):
                for after in ("", "!", "\n", self.good[0]):
                    made = before + piece * (length // len(piece)) + after
                    yield on_the_wire(made) if self.wire else made

    def _piece(self, random: Random) -> str:
        piece = random.choice(self.pieces) if self.pieces and random.random() < 0.8 else random.choice(SIGNS)
        return piece * random.randrange(1, LONGEST_RUN) if random.random() < 0.1 else piece

    def _altered(self, text: str, random: Random) -> str:
        """With something missing, more, twice, other, or joined to another good text."""
        first, last = sorted((random.randint(0, len(text)), random.randint(0, len(text))))
        return random.choice(
            (
                text[:first] + text[last:],
                text[:first] + self._piece(random) + text[first:],
                text[:last] + text[first:],
                text[:first] + random.choice(SIGNS) + text[first + 1 :],
                text[:first] + text[first:last].swapcase() + text[last:],
                text + random.choice(self.good),
            )
        )


def on_the_wire(text: str) -> str:
    """What WSGI makes of the text's bytes; no server takes control characters in a header (RFC 9110, section 5.5)."""
    shown = text.encode("utf-8", "replace").decode("latin-1")
    return "".join(sign for sign in shown if sign == "\t" or (sign >= " " and sign != "\x7f"))
