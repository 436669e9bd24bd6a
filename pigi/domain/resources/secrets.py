"""Recognising text that looks like a secret, so that it is refused before it is stored.

A miss costs a leaked secret and a false alarm costs one question, so the patterns lean towards alarm.
Nothing here returns or raises the text it looked at.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class SecretPattern:
    """``kind`` is safe to show; ``source`` is where the shape is documented."""

    kind: str
    pattern: re.Pattern[str]
    source: str


def _known(kind: str, pattern: str, source: str) -> SecretPattern:
    return SecretPattern(kind, re.compile(pattern), source)


_GITHUB = "GitHub Docs, 'About authentication to GitHub', token prefixes"
# Every repetition is bounded or cannot overlap its neighbour, so no text makes a search slow.
PATTERNS: Final = (
    _known("private key", r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----", "RFC 7468; RFC 9580"),
    _known("AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "AWS IAM User Guide, unique identifier prefixes"),
    _known("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b", _GITHUB),
    _known("GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b", _GITHUB),
    _known("GitLab token", r"\bgl(?:pat|dt|rt|ptt|oas)-[A-Za-z0-9_-]{20,255}", "GitLab Docs, token prefixes"),
    _known("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}", "Slack API docs, token types"),
    _known("Slack webhook", r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,200}", "Slack API docs, webhooks"),
    _known("Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}\b", "Stripe Docs, API keys"),
    _known("Stripe webhook secret", r"\bwhsec_[A-Za-z0-9+/=]{16,255}", "Stripe Docs, webhook signatures"),
    _known("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{16,255}", "Claude Docs, API keys"),
    _known("OpenAI key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,255}", "OpenAI platform docs, API keys"),
    _known("Google API key", r"\bAIza[0-9A-Za-z_-]{35}", "Google Cloud docs, API keys"),
    _known("npm token", r"\bnpm_[A-Za-z0-9]{36}\b", "npm Docs, access tokens"),
    _known("PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,500}", "PyPI help, API tokens"),
    _known("Pigi key", r"\bpigi_[A-Za-z0-9_-]{20,255}", "Pigi's own API keys"),
    _known("JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,4000}\.", "RFC 7519"),
    _known("credentials in a URL", r"://[^\s/:@?#]{0,100}:[^\s/:@?#$<{]{1,200}@", "RFC 3986, section 3.2.1"),
    _known("credentials in a header", r"(?i)\b(?:bearer|basic) +[A-Za-z0-9._~+/-]{20,4000}=*", "RFC 6750; RFC 7617"),
)

_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:token|secret|password|passwd|passphrase|pwd|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"secret[_-]?key|auth[_-]?key|credentials?|authorization|cookie|auth|pat)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A reference, a placeholder, or a value too plain to be a secret.
_HARMLESS = re.compile(
    r"(?:\$\{[^{}]*\}|\$\w+|%\w+%|\{(?:env|input):[^{}]*\}|<[^<>]*>|\[[^\[\]]*\]|your[-_ ].*|(?:x{3,}|\*{3,}|\.{3,})|"
    r"change[-_ ]?me|placeholder|redacted|example|none|null|true|false|yes|no|on|off|\d{1,6})?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:bearer|basic|token) +", re.IGNORECASE)
_FLAG = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]{0,63})(?:=(.*))?", re.DOTALL)
_RANDOM_LENGTH: Final = 24
_RANDOM_BITS: Final = 4.0


def secret_kinds(text: str) -> tuple[str, ...]:
    """The kinds of secret that ``text`` seems to hold, in the order of `PATTERNS`, each once."""
    found = (entry.kind for entry in PATTERNS if entry.pattern.search(text))
    return tuple(dict.fromkeys(found))


def names_a_secret(name: str) -> bool:
    """Whether a variable, header or flag of this name usually holds a secret, such as ``API_KEY`` or ``apiKey``."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def is_placeholder(value: str) -> bool:
    """Whether ``value`` only stands for a secret, such as ``${TOKEN}``, ``<token>`` or ``changeme``."""
    return _HARMLESS.fullmatch(_SCHEME.sub("", value.strip(), count=1)) is not None


def is_secret_pair(name: str, value: str) -> bool:
    """Whether ``name`` set to ``value`` stores a secret: by the value's shape, or by the name and a real value."""
    if secret_kinds(value):
        return True
    return names_a_secret(name) and not is_placeholder(value) and not value.startswith(("https://", "http://"))


def secret_arguments(arguments: Sequence[str]) -> tuple[int, ...]:
    """The positions of arguments that hold a secret, as in ``--token=abc`` or ``--token abc``."""
    found = []
    flag = ""
    for position, argument in enumerate(arguments):
        match = _FLAG.fullmatch(argument)
        name, value = (match[1], match[2] or "") if match else (flag, argument)
        if secret_kinds(argument) or (name and value and is_secret_pair(name, value)):
            found.append(position)
        flag = name if match and not value else ""
    return tuple(found)


def looks_random(value: str) -> bool:
    """Whether ``value`` has the entropy of a key: 24 characters or more, mixed, at least 4 bits each."""
    mixed = any(c.islower() for c in value) and any(c.isupper() for c in value) and any(c.isdigit() for c in value)
    if len(value) < _RANDOM_LENGTH or not mixed or not re.fullmatch(r"[A-Za-z0-9+=_-]+", value):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= _RANDOM_BITS
