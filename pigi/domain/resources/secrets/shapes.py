"""Secrets that their own shape gives away, wherever they stand.

The shapes that vendors publish are the business of a catalogue that others keep, `kingfisher_sdk`: 488 rules, matched
in time that grows with the text alone. Here is what it leaves out, and which shapes leave no doubt.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.resources.secrets.values import is_placeholder, is_stand_in, is_typed_row

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class SecretPattern:
    """``kind`` is safe to show; ``source`` is where the shape is documented. Each match holds one of ``marks``."""

    kind: str
    pattern: re.Pattern[str]
    source: str
    marks: tuple[str, ...]


def _known(kind: str, pattern: str, source: str, *marks: str) -> SecretPattern:
    return SecretPattern(kind, re.compile(pattern), source, marks)


_GITHUB = "GitHub Docs, 'About authentication to GitHub', token prefixes"
# Every repetition is bounded or cannot overlap its neighbour, so no text makes a search slow.
PATTERNS: Final = (
    # The catalogue wants to see a name or a partner beside these, or counts them as harmless alone.
    _known(
        "private key",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s){1,4}"
        r"(?:[A-Za-z-]{1,20}: [^\n]{0,80}\n){0,4}\s{0,4}[A-Za-z0-9+/=\\\n]{40,8000}",
        "RFC 7468; RFC 9580",
        "-----BEGIN ",
    ),
    _known(
        "AWS access key",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",
        "AWS IAM User Guide, unique identifier prefixes",
        "AKIA",
        "ASIA",
        "ABIA",
        "ACCA",
    ),
    _known("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b", _GITHUB, "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _known("GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b", _GITHUB, "github_pat_"),
    _known(
        "GitLab token",
        r"\bgl(?:pat|dt|rt|ptt|oas)-[A-Za-z0-9_-]{20,255}",
        "GitLab Docs, token prefixes",
        "glpat-",
        "gldt-",
        "glrt-",
        "glptt-",
        "gloas-",
    ),
    _known("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}", "Slack API docs, token types", "xox"),
    _known(
        "Slack webhook",
        r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,200}",
        "Slack API docs, webhooks",
        "hooks.slack.com",
    ),
    _known(
        "Discord webhook",
        r"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}",
        "Discord docs, webhooks",
        "/api/webhooks/",
    ),
    _known("Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}\b", "Stripe Docs, API keys", "k_live_", "k_test_"),
    _known("Stripe webhook secret", r"\bwhsec_[A-Za-z0-9+/=]{16,255}", "Stripe Docs, webhook signatures", "whsec_"),
    _known("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{16,255}", "Claude Docs, API keys", "sk-ant-"),
    _known("OpenAI key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,255}", "OpenAI platform docs, API keys", "sk-"),
    _known("Google API key", r"\bAIza[0-9A-Za-z_-]{35}", "Google Cloud docs, API keys", "AIza"),
    _known("Google client secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}", "Google Cloud docs, OAuth clients", "GOCSPX-"),
    _known(
        "Discord token",
        r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        "Discord docs, bots",
        ".",
    ),
    _known("Telegram token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b", "Telegram docs, bot tokens", ":AA"),
    _known("Tavily key", r"\btvly-(?:dev-|prod-)?[A-Za-z0-9]{20,64}\b", "Tavily docs, API keys", "tvly-"),
    _known("Firecrawl key", r"\bfc-[0-9a-f]{32}\b", "Firecrawl docs, API keys", "fc-"),
    _known(
        "Notion token",
        r"\bntn_[A-Za-z0-9]{40,60}\b|\bsecret_[A-Za-z0-9]{43}\b",
        "Notion docs, token formats",
        "ntn_",
        "secret_",
    ),
    _known("Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,300}", "Vault docs, tokens", "hvs.", "hvb.", "hvr."),
    _known(
        "RapidAPI key",
        r"\b[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5,6}jsn[0-9a-f]{12}\b",
        "RapidAPI docs, API keys",
        "jsn",
    ),
    _known("Docker token", r"\bdckr_[a-z]{3}_[A-Za-z0-9_-]{24,40}", "Docker docs, access tokens", "dckr_"),
    _known("npm token", r"\bnpm_[A-Za-z0-9]{36}\b", "npm Docs, access tokens", "npm_"),
    _known("PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,500}", "PyPI help, API tokens", "pypi-"),
    _known(
        "Doppler token",
        r"\bdp\.(?:ct|pt|sa|scim|audit|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}\b",
        "Doppler docs, auth token formats",
        "dp.",
    ),
    _known("New Relic key", r"\bNRAK-[A-Z0-9]{27}\b", "New Relic docs, API keys", "NRAK-"),
    _known("Hugging Face token", r"\b(?:hf|api_org)_[A-Za-z0-9]{34}\b", "Hugging Face docs, tokens", "hf_", "api_org_"),
    _known(
        "Teams webhook",
        r"https://[\w-]{1,63}\.webhook\.office\.com/webhookb2/[\w@-]{30,100}/IncomingWebhook/[0-9a-f]{32}/[\w-]{36,100}",
        "Microsoft Teams docs, incoming webhooks",
        ".webhook.office.com",
    ),
    _known(
        "Azure client secret",
        r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![\w~-])",
        "Microsoft Entra docs, client secrets",
        "Q~",
    ),
    _known(
        "Harness token",
        r"\b[ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}\b",
        "Harness docs, API keys",
        "pat.",
        "sat.",
    ),
    _known("Google access token", r"\bya29\.[A-Za-z0-9_-]{30,2000}", "Google Identity docs, access tokens", "ya29."),
    _known("Context7 key", r"\bctx7sk-[0-9a-f-]{36}\b", "Context7 docs, API keys", "ctx7sk-"),
    _known("OpenShift token", r"\bsha256~[A-Za-z0-9_-]{43}", "OpenShift docs, OAuth access tokens", "sha256~"),
    _known("Pigi key", r"\bpigi_[A-Za-z0-9_-]{20,255}", "Pigi's own API keys", "pigi_"),
    _known(
        "JSON Web Token",
        r"\beyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{0,4000}",
        "RFC 7519",
        "eyJ",
    ),
)
_CHECKED = re.compile(r"(?:gh[pousr]|npm)_([A-Za-z0-9]{30})([A-Za-z0-9]{6})")
_LIVE = re.compile(
    r"[rs]k_live_[A-Za-z0-9]{24,255}|sk-ant-[a-z]{3}\d\d-[A-Za-z0-9_-]{93}AA|pigi_[0-9a-f]{32}_[A-Za-z0-9_-]{43}|"
    r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}|xox[bp]-\d{10,13}-\d{10,13}(?:-\d{10,13})?-[A-Za-z0-9]{24,32}|"
    r"sk-(?:proj|svcacct)-[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20,74}|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"
)
_KEY_BODY = re.compile(r"PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s)*([A-Za-z0-9+/]{40})")
# How a key begins once its base 64 is undone: a DER sequence (X.690), or OpenSSH's own form (PROTOCOL.key).
_KEY_STARTS: Final = (b"\x30\x81", b"\x30\x82", b"\x30\x2e", b"\x30\x77", b"openssh-key-v1")
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def shaped(text: str) -> Iterator[tuple[str, int, int, bool, bool]]:
    """Each secret in ``text`` by its shape: what it is, from where to where, whether certainly, and beyond doubt."""
    for entry in PATTERNS:
        if not any(mark in text for mark in entry.marks):
            continue
        for match in entry.pattern.finditer(text):
            verified = is_verified(match[0])
            stand_in = not verified and is_stand_in(match[0])
            # Rows of letters are what somebody types who needs a token that is none, and what a lazy test has.
            if not stand_in or is_typed_row(match[0]):
                yield entry.kind, match.start(), match.end(), not stand_in, verified
    yield from _catalogued(text)


def is_verified(secret: str) -> bool:
    """Whether a checksum is right, a live key has its full length, or a private key is one."""
    if checked := _CHECKED.fullmatch(secret):
        return _base62(zlib.crc32(checked[1].encode())) == checked[2]
    if body := _KEY_BODY.search(secret):
        try:
            return base64.b64decode(body[1]).startswith(_KEY_STARTS)
        except binascii.Error:
            return False
    return _LIVE.fullmatch(secret) is not None and not is_stand_in(secret)


def _base62(number: int) -> str:
    """Six digits, as GitHub puts them at a token's end: 'Behind GitHub's new authentication token formats', 2021."""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


_APART: Final = bytes.maketrans(b"()[]<>|,;", b" " * 9)
"""Many rules of the catalogue want a space or a quote behind a secret, where permission rules and tables have these."""


def _catalogued(text: str) -> Iterator[tuple[str, int, int, bool, bool]]:
    data = text.encode("utf-8", "replace")
    apart = data.translate(_APART)
    scan = _Catalogue.scanner().scan
    for found in chain(scan(data), scan(apart) if apart != data else ()):
        # What a name or an address says of its value is for `text` to judge, which knows examples better.
        if not found.visible or "generic" in found.rule_id or "://" in found.secret or is_placeholder(found.secret):
            continue
        place = found.location
        start = _characters(data, 0, place["start_offset"])
        end = start + _characters(data, place["start_offset"], place["end_offset"])
        yield _kind(found.rule_id), start, end, True, is_verified(found.secret)


def _characters(data: bytes, start: int, end: int) -> int:
    return len(data[start:end].decode("utf-8", "replace"))


def _kind(rule: str) -> str:
    """A rule's name in words: ``betterleaks.github-app-token`` is a github app token."""
    return re.sub(r"[^a-z0-9]+", " ", rule.rpartition(".")[2].lower()).strip()


def warm() -> None:
    """Load the catalogue now, which takes half a second, or five seconds where it was never loaded before."""
    _Catalogue.scanner()


class _Catalogue:
    """The scanner, which threads share and forks inherit. It is not loaded before somebody needs it."""

    _lock = Lock()
    _scanner: Any = None

    @classmethod
    def scanner(cls) -> Any:
        with cls._lock:
            if cls._scanner is None:
                from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415 - its library has 36 MB

                # Undoing base 64 is left out: images in documents would be searched for nothing.
                cls._scanner = Scanner(Rules(confidence="low"), base64=False)
        return cls._scanner
