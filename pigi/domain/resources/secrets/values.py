"""What a value is by itself: a placeholder, a reference, a path, words, or made by a machine."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

_SCHEME = re.compile(r"(?:bearer|basic|token|digest|bot|apikey|key) +", re.IGNORECASE)
_QUOTED = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_NAME = r"[A-Za-z_][\w.\-]{0,99}"
# What stands for a value that is elsewhere. A default inside one is a value: it takes the place of the reference.
_DEFAULT = re.compile(rf"\$\{{{_NAME}:?[-=]([^{{}}]{{0,500}})\}}")
_REFERENCE = re.compile(
    rf"\$?\{{\{{[^{{}}\n]{{0,200}}\}}\}}|\$?\{{[^{{}}\n\"'=]{{0,200}}\}}|\$env:{_NAME}|(?<![A-Za-z0-9])\${_NAME}|\$[A-Z_][A-Z0-9_]{{2,}}|%{_NAME}%|"
    rf"@@?{_NAME}@@?|__{_NAME}__|<<?[^<>\n]{{0,200}}>?>|\[[^\[\]\n]{{0,200}}\]|\$\([^\n]{{0,500}}\)|`[^`\n]{{0,500}}`",
)
_STORE = re.compile(
    r"(?:env|vault|keychain|keyring|ssm|op|arn|secretref|secretsmanager|doppler|infisical|bws|gopass|pass|azurekv|"
    r"sm|gcpsm|aws-?sm|file|sops|age|ref|input|prompt|os)(?::|://)\S*|!\w+ [\w./-]+|(?:cmd|exec|command|shell):.*",
    re.IGNORECASE,
)
# A path at a keeper of secrets that is not among these.
_KEPT = re.compile(r"[a-z][a-z0-9-]{1,15}:(?://)?([a-z][a-z-]{0,30}(?:[/#][a-z][a-z-]{0,30}){1,8})", re.IGNORECASE)
_SUFFIX: Final = (
    r"\.(?:json|pem|key|pub|txt|ya?ml|toml|ini|cfg|conf|env|crt|cer|p12|pfx|jks|kdbx|gpg|asc|sock|db|sh|js|ts|py)"
)
_PATH = re.compile(rf"(?:~|\.{{1,2}})?/[^\s:;,=&]*|[A-Za-z]:[\\/][^\n]*|%?~?[\w.@ \\/-]*{_SUFFIX}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://\S*")
# Words that say that nobody means the value.
_STAND_IN = re.compile(
    # Six letters or more come about by chance nowhere; shorter words count where nothing is joined to them.
    r"example|placeholder|redacted|change[-_ ]?(?:me|this|it)|replace|insert[-_ ]|foobar|"
    r"x{5,}|\*{3,}|\.{3}|…|_{5,}|#{4,}|-{6,}|"
    r"(?<![a-z0-9])(?:your|dummy|sample|fake|todo|fixme|here|xxx+|my|"
    r"not[-_ ](?:needed|required|used|set|real|an?))(?![a-z0-9])|"
    r"(?<![a-z0-9])your(?=[a-z]{3,12}(?![a-z0-9]))",
    re.IGNORECASE,
)
_WEAK = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[A-Za-z][\w!@#$%^&*.+-]{7,40}")
_PLAIN: Final = frozenset({
    "none", "null", "nil", "true", "false", "yes", "no", "on", "off", "undefined", "empty", "unset", "default",
    "required", "optional", "string", "str", "text", "hidden", "masked", "secret", "secrets", "password", "passwd",
    "pass", "pwd",
    "token", "key", "apikey", "credential", "credentials", "user", "username", "admin", "root", "guest", "postgres",
    "mysql", "mongo", "redis", "rabbitmq", "minio", "minioadmin", "test", "testing", "tests", "demo", "local",
    "localhost", "dev", "development", "staging", "prod", "production", "ci", "super", "very", "the", "a", "some", "my",
    "api", "auth", "access", "private", "public", "db", "database", "app", "hello", "world", "foo", "bar", "baz",
    "qwerty", "bearer", "basic", "oauth", "oauth2", "oidc", "jwt", "ssh", "https", "http", "disabled", "enabled",
    "anonymous",
    "letmein", "welcome", "wrong", "correct", "valid", "invalid", "secure", "sk", "pk", "pi",
    "abc", "abcd", "xxx", "value", "n", "e", "na", "id", "client", "server", "old", "new", "strong",
})  # fmt: skip
# Names of techniques hold digits, and are no more random for it.
# Such words, also where they are written without a break.
_MADE_OF_PLAIN = re.compile("(?:" + "|".join(sorted((word for word in _PLAIN if len(word) > 1), key=len)) + "){1,5}")
_TECHNIQUE = re.compile(
    r"(?i)(?<![a-z0-9])e2e|(?<![a-z0-9])(?:oauth|base|sha|md|utf|argon|pbkdf|rsa|aes|ed|rs|hs|es|x|p|s|ec|k|b|h|v|i18n|l10n|web|http|tls|ipv|log|mp)"
    r"[-_]?\d{1,5}[a-z]{0,2}(?![0-9A-Za-z])"
)
_CODE = re.compile(r"[()\[\]{}<>|\\]|=>|^\$|[A-Za-z_]\w*(?:\??\.[A-Za-z_]\w*)+$|^[a-z]+(?:[A-Z][a-z]+)+$")
_WORDS = re.compile(r"[A-Za-z]{1,14}(?:[-_. /][A-Za-z]{1,14}){0,20}")
_RUNS: Final = ("0123456789012345", "abcdefghijklmnopqrstuvwxyz", "9876543210", "qwertyuiop", "asdfghjkl")
_LEAST_RUN: Final = 4
_KEY = re.compile(r"[A-Za-z0-9+/=_.:~!@#%^&*|-]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,400}={0,2}")
_KEY_LENGTH: Final = 16
_HEX = re.compile(r"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_HEX_LENGTH: Final = 24
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RANDOM_LENGTH: Final = 24
_RANDOM_BITS: Final = 4.0
# Examples that documentations print, by their SHA-256: whoever pastes one has leaked nothing.
_DOCUMENTED: Final = frozenset({
    "7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606",  # jwt.io, its first page
    "b8e148545b13c78bc74da2f1a7275dd71e56ddece129d7d2f7b3ecc06f7994da",  # RFC 6750, section 2.1
    "cf4d418ed3de92d71f767db5391d5a2dacd40e1ce49e75d1137e2ecf4982d844",  # RFC 7617, section 2
})  # fmt: skip


def bare(value: str) -> str:
    """``value`` without space, quotes and the scheme of a header, such as ``Bearer``, around it.

    Of a reference that has a default, and nothing beside it, that is the default.
    """
    value = value.strip()
    default = _DEFAULT.fullmatch(value)
    value = default[1].strip() if default else value
    quoted = _QUOTED.fullmatch(value)
    return _SCHEME.sub("", (quoted[2] if quoted else value).strip(), count=1)


def is_placeholder(value: str) -> bool:
    """Whether ``value`` only stands for a secret: ``${TOKEN}``, ``<token>``, ``op://…``, a path, ``changeme``."""
    value = bare(value)
    if "%" in value:
        value = unquote(value)
    left = _REFERENCE.sub("", _DEFAULT.sub(r"\1", value)).strip(" :;,/@-_|&+\"'")
    if not left or (left != value and len(left) < _KEY_LENGTH and left.isalpha()):
        return True
    if (
        value.startswith("@")
        or _STORE.fullmatch(value)
        or ((kept := _KEPT.fullmatch(value)) and is_wordy(kept[1]))
        or (_URL.fullmatch(value) and "@" not in value)
        or _is_path(value)
        or (left != value and _is_path(left))
    ):
        return True
    return is_stand_in(left)


def is_stand_in(value: str) -> bool:
    """Whether ``value`` says that it is none, as ``your-key``, ``xxxx``, ``123456`` and ``AKIA…EXAMPLE`` do."""
    words = [word for word in re.split(r"[^a-z]+", value.lower()) if word]
    if all(word in _PLAIN or _is_made_of_plain(word) for word in words) and len(re.sub(r"\D", "", value)) <= 6:  # noqa: PLR2004 - a PIN, a year
        return True
    if _STAND_IN.search(value) or _is_monotonous(value) or _hides_a_stand_in(value):
        return True
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest() in _DOCUMENTED


_LONGEST_WORD: Final = 40


def _is_made_of_plain(word: str) -> bool:
    return len(word) <= _LONGEST_WORD and _MADE_OF_PLAIN.fullmatch(word) is not None


def _hides_a_stand_in(value: str) -> bool:
    """Whether it is a stand-in in base 64, as manifests for Kubernetes have it."""
    if len(value) % 4 or not _BASE64.fullmatch(value):
        return False
    try:
        text = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return text.isprintable() and is_stand_in(text)


def _is_path(value: str) -> bool:
    if not _PATH.fullmatch(value):
        return False
    return not any(is_key(part) and looks_random(part) for part in re.split(r"[\\/]", value))


def is_typed_row(value: str) -> bool:
    """Whether rows of letters or digits are all that speaks against its being a secret."""
    return _is_monotonous(value) and not _STAND_IN.search(value)


def is_weak(value: str) -> bool:
    """Whether it is made of words that stand for passwords, and yet as rules for passwords want it: ``Admin@123``."""
    return _WEAK.fullmatch(value) is not None and not _STAND_IN.search(value)


def _is_monotonous(value: str) -> bool:
    """Whether half of it or more are runs such as ``12345`` and ``aaaa``, or half of its letters, as ``a1b2c3``."""
    signs = re.sub(r"[^a-z0-9]", "", value.lower())
    letters, digits = re.sub(r"[0-9]", "", signs), re.sub(r"[a-z]", "", signs)
    # Nobody types capitals in turns. And who makes up a key has letters in rows before digits.
    turns = sum(a.isupper() != b.isupper() for a, b in pairwise(re.sub(r"[^A-Za-z]", "", value)))
    few = len(signs) >= 2 * _LEAST_RUN and len(set(signs)) <= _LEAST_RUN
    rows = turns * 3 < len(letters) and _is_in_runs(letters)
    return few or _is_in_runs(signs) or (rows and (len(digits) < 2 * _LEAST_RUN or _is_in_runs(digits)))


def _is_in_runs(signs: str) -> bool:
    in_runs = position = 0
    while position < len(signs) - _LEAST_RUN:
        length = _run(signs, position)
        in_runs += length if length >= _LEAST_RUN else 0
        position += max(length, 1)
    return len(signs) >= 2 * _LEAST_RUN and in_runs * 2 >= len(signs)


def _run(signs: str, start: int) -> int:
    same = 1
    while start + same < len(signs) and signs[start + same] == signs[start]:
        same += 1
    for row in _RUNS:
        at, length = row.find(signs[start : start + _LEAST_RUN]), _LEAST_RUN
        if at < 0:
            continue
        while start + length < len(signs) and row[at : at + length + 1] == signs[start : start + length + 1]:
            length += 1
        same = max(same, length)
    return same


def is_code(value: str) -> bool:
    """Whether ``value`` reads as an expression of a program, such as ``config.token`` or ``get(1)``."""
    return _CODE.search(value) is not None


def is_wordy(value: str) -> bool:
    """Whether ``value`` is words with nothing else among them; techniques such as ``base64`` count as words."""
    plain = _TECHNIQUE.sub("word", value)
    return _WORDS.fullmatch(plain) is not None and not looks_random(value)


def is_key(value: str) -> bool:
    """Whether a machine seems to have made it: 16 characters or more, letters and digits mixed, without spaces."""
    if len(value) < _KEY_LENGTH or not _KEY.fullmatch(value):
        return False
    if _UUID.fullmatch(value):
        return True
    if _HEX.fullmatch(value):
        return len(value) >= _HEX_LENGTH and not value.isdigit()
    plain = _TECHNIQUE.sub("", value)
    chunks = re.split(r"[-_.:/=+~|]", plain)
    return any(_is_mixed(chunk) for chunk in chunks) or (_is_mixed(plain) and _bits(plain) >= _RANDOM_BITS)


_CHUNK: Final = 8
_CAMEL = re.compile(r"(?:[A-Z]{0,5}[a-z]{2,14}){2,9}[A-Z]{0,4}")
_PART: Final = 10


def _is_mixed(chunk: str) -> bool:
    """Letters and digits in turns, or capitals inside, over eight characters or more."""
    if len(chunk) < _CHUNK:
        return False
    kinds = "".join("d" if c.isdigit() else "U" if c.isupper() else "l" if c.islower() else "s" for c in chunk)
    turns = sum(a != b for a, b in pairwise(kinds))
    if "d" in kinds:
        return turns * 5 >= len(chunk)
    # Names in a program have capitals too, but fewer, or are short, or no letter of them stands alone.
    return len(chunk) >= _KEY_LENGTH and turns * 3 >= len(chunk) and not _CAMEL.fullmatch(chunk)


def has_random_part(value: str) -> bool:
    """Whether a stretch of ten characters or more of it is mixed, where a title has words joined by hyphens."""
    parts = re.split(r"[-_.:+~=]", value)
    return any(len(part) >= _PART and _is_mixed(part) for part in parts)


def looks_random(value: str) -> bool:
    """Whether ``value`` has the entropy of a key: 24 characters or more, mixed, at least 4 bits each."""
    mixed = any(c.islower() for c in value) and any(c.isupper() for c in value) and any(c.isdigit() for c in value)
    if len(value) < _RANDOM_LENGTH or not mixed or not re.fullmatch(r"[A-Za-z0-9+/=_-]+", value):
        return False
    return _bits(value) >= _RANDOM_BITS


def _bits(value: str) -> float:
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
