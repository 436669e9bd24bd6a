"""Recognising what looks like a secret, so that it is refused before it is stored.

A miss costs a leaked secret and a false alarm costs a question, so where both are likely it is an alarm: a person may
then say that the value is an example. Nothing here raises the text it looked at, or shows it.

`shapes` knows secrets by themselves, `text` and `urls` by where they stand, `names` by what they are called, and
`values` tells what only stands for one. See docs/decisions/0028-secrets-are-found-by-place-and-by-catalogue.md.
"""

from __future__ import annotations

from pigi.domain.resources.secrets.examples import DIGEST, MOST_EXAMPLES, Example, Sign, digest_of
from pigi.domain.resources.secrets.finding import Secret, find_in_arguments, find_in_text, find_in_value
from pigi.domain.resources.secrets.places import secrets_of
from pigi.domain.resources.secrets.shapes import warm

__all__ = [
    "DIGEST",
    "MOST_EXAMPLES",
    "Example",
    "Secret",
    "Sign",
    "digest_of",
    "find_in_arguments",
    "find_in_text",
    "find_in_value",
    "secrets_of",
    "warm",
]
