"""What a variable, header, flag or field is called, and whether a value of that name is usually a secret."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Final


class Hint(IntEnum):
    """How much a name says about its value."""

    NOTHING = 0
    KEY = 1
    """Many things are called so, such as ``SORT_KEY`` or ``auth``: the value has to look like a key as well."""
    TOKEN = 2
    """A secret that machines make, such as ``API_KEY``."""
    PASSWORD = 3
    """A secret that people make up, which may look like anything."""


# Also as German, Dutch, Spanish, Portuguese, French, Italian, Polish, Czech, Swedish and Danish have it.
_PASSWORDS: Final = (
    "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "wachtwoord", "contrasena", "motdepasse",
    "losenord", "adgangskode",
)  # fmt: skip
_PASSWORD_WORDS: Final = frozenset(
    {*_PASSWORDS, "pwd", "pass", "pw", "mdp", "passe", "senha", "parola", "haslo", "heslo"}
)
# Also at the end of a word that is written without a break, such as GITHUBTOKEN.
_TOKENS: Final = ("token", "secret", "apikey", "accesskey", "privatekey", "secretkey", "authkey", "bearer")
_TOKEN_WORDS: Final = frozenset({*_TOKENS, "authorization", "credential", "credentials", "jwt", "mnemonic", "pat"})
_KEY_WORDS: Final = frozenset({
    "key", "auth", "sig", "signature", "session", "sid", "sessionid", "cookie", "salt", "dsn", "webhook", "hmac",
    "phrase", "seed", "licence", "license", "cred", "creds", "tok", "private",
})  # fmt: skip
# What makes a key of a certain kind a secret.
_KEYS_OF: Final = frozenset({
    "api", "access", "private", "secret", "auth", "encryption", "signing", "master", "service", "account", "app",
    "application", "admin", "shared", "client",
})  # fmt: skip
# A key by which something is looked up.
_LOOKED_UP_BY: Final = frozenset({
    "file", "cache", "sort", "primary", "foreign", "partition", "object", "project", "issue", "row", "index", "map",
    "hot", "group", "order", "i18n", "translation", "host", "space", "routing",
})  # fmt: skip
# Products, countries and errors have codes too.
_CODES_FOR: Final = frozenset({"access", "auth", "authorization", "verification", "recovery", "backup", "pass"})
_PUBLIC: Final = frozenset({"public", "publishable", "pub", "site"})
# What people add behind the name of a secret, which says nothing of what it is.
_TAIL = re.compile(r"(?:\d+|v\d+|prod|production|live|staging|stage|dev|development|test|testing|local|old|new|backup|"
                   r"primary|secondary|current|default|value|literal|plain|raw|eu|us|main|base)")  # fmt: skip
_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_NUMBERED = re.compile(r"(?<=[a-z])\d{1,3}$")
_LONGEST: Final = 128


def is_public(name: str) -> bool:
    """Whether ``name`` says that everybody may see its value, as ``STRIPE_PUBLISHABLE_KEY`` does."""
    return not _PUBLIC.isdisjoint(word.lower() for word in _BREAK.split(name[-_LONGEST:]))


@lru_cache(maxsize=4096)
def hint_of(name: str) -> Hint:
    """What ``name`` says of its value, in whatever spelling: ``API_KEY``, ``exaApiKey``, ``x-api-key``, ``TOKEN_2``."""
    words = [_NUMBERED.sub("", word.lower()) for word in _BREAK.split(name[-_LONGEST:]) if word]
    while len(words) > 1 and _TAIL.fullmatch(words[-1]):
        words.pop()
    if not words or _PUBLIC & set(words):
        return Hint.NOTHING
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _PASSWORD_WORDS or last.endswith(_PASSWORDS):
        return Hint.PASSWORD
    if last in _TOKEN_WORDS or last.endswith(_TOKENS):
        return Hint.TOKEN
    if (last in {"key", "hash"} and before in _KEYS_OF) or (
        last == "phrase" and before in {"seed", "recovery", "secret"}
    ):
        return Hint.TOKEN
    if last == "code":
        # Of an address alone it is what signs a caller in (RFC 6749, section 4.1.2).
        return Hint.KEY if not before or before in _CODES_FOR else Hint.NOTHING
    return Hint.KEY if last in _KEY_WORDS and before not in _LOOKED_UP_BY else Hint.NOTHING


def names_a_secret(name: str) -> bool:
    """Whether what has this name usually is a secret."""
    return hint_of(name) >= Hint.TOKEN
