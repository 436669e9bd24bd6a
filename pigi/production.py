"""What production mode refuses, as data: each lapse with its code, and what to do about it.

These are judged from settings and files alone, at each start. What only a look at the servers can tell is in
`pigi.operations.deployment`.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import ssl
import stat
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pigi.regions import is_in_the_union

if TYPE_CHECKING:
    from collections.abc import Callable

ANTHROPIC_HOST = "api.anthropic.com"
STRIPE_HOST = "api.stripe.com"
KEY_BYTES = 32
FEWEST_BYTES = 18
"""Different bytes in a random key of 32: fewer than 18 come up less than once in 10^9 keys."""
DEFAULT_PASSWORDS = frozenset(
    "admin changeme default example guest password pigi postgres redis root secret test".split()  # noqa: SIM905 - legible
)
DEBUGGING = (
    "FLASK_DEBUG", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONINSPECT", "PYTHONHTTPSVERIFY", "SSLKEYLOGFILE",
)  # fmt: skip
"""Variables that make libraries talkative, stop checking certificates, or write down the keys of connections."""
DETOURS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ALLOW_HTTP")
"""Variables by which libraries send everything to somebody who is in no list of recipients, or without TLS."""

_SENDER = re.compile(r"[^@<>]*<[^@\s,;<>]+@[^@\s,;<>]+>|[^@\s,;<>]+@[^@\s,;<>]+")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # Bech32, as age writes the key of X25519


class Lapse(str):
    """What forbids production, as a sentence that says what to do; ``code`` is stable.

    ``promise`` is the ID of the promise that would not hold, or empty.
    """

    __slots__ = ("code", "promise")
    code: str
    promise: str

    def __new__(cls, code: str, words: str, promise: str = "") -> Self:
        """The sentence with its code; the promise is told at its end."""
        made = super().__new__(cls, f"{words} ({promise})" if promise else words)
        made.code, made.promise = code, promise
        return made


@dataclass(frozen=True)
class Rule:
    """A rule of production: ``broken`` is asked with the settings, of whatever shape they are."""

    code: str
    words: str
    broken: Callable[[Any], object]
    promise: str = ""


def lapses_of(settings: Any, promise: str = "") -> list[Lapse]:
    """Every rule of production, or of one promise, that these `pigi.settings.Settings` break.

    That module asks this one, so they have no type here.
    """
    rules = [rule for rule in RULES if promise in {"", rule.promise}]
    return [Lapse(rule.code, rule.words, rule.promise) for rule in rules if rule.broken(settings)]


def is_at(url: str, host: str) -> bool:
    """Whether an address, if there is one, is the provider's own."""
    parts = parts_of(url)
    return not url or (parts.scheme, parts.netloc) in {("https", host), ("https", f"{host}:443")}


def is_weak(key: bytes) -> bool:
    """Whether a key was written or counted rather than drawn: too few different bytes, even steps, or text."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    written = key.isascii() and key.decode().isprintable()
    return written or len(set(key)) < FEWEST_BYTES or len(steps) < FEWEST_BYTES // 2


def parts_of(url: str) -> SplitResult:
    """The parts of an address; none of one that cannot be read, which then breaks the rules that ask for some."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _signs_in(url: str) -> bool:
    """TLS is not in the address: the gateway takes no server without it in production."""
    parts = parts_of(url)
    return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname and parts.username and parts.password)


def option_of(url: str, name: str) -> str:
    """An option of a URL, the last if it is given twice, as clients take it; empty if absent."""
    return parse_qs(parts_of(url).query).get(name, [""])[-1]


def asks_for_tls(url: str) -> bool:
    """Whether an address of PostgreSQL demands TLS and a good certificate, or is a socket of this machine."""
    return option_of(url, "sslmode") == "verify-full" or option_of(url, "host").startswith("/")


def waives_checks(url: str) -> bool:
    """Whether a rediss:// address waives the server's certificate or its name."""
    checks, named = option_of(url, "ssl_cert_reqs"), option_of(url, "ssl_check_hostname")
    return checks not in {"", "required"} or named.lower() in {"false", "f", "no", "n", "0"}


def _authorities(settings: Any) -> set[str]:
    """Every file of certificates that the settings name; ``system`` is libpq's word for the machine's own."""
    databases = (settings.database_url, settings.tenant_database_url)
    named = {*(option_of(url, "sslrootcert") for url in databases), option_of(settings.redis_url, "ssl_ca_certs")}
    return {*named, str(settings.smtp_ca_file or "")} - {"", "system"}


def _is_authority(path: str) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # an ssl.SSLError is an OSError
        return False
    return True


def _default_password(*urls: str) -> bool:
    for url in urls:
        parts = parts_of(url)
        password = unquote(parts.password or "").lower()
        if password and (password in DEFAULT_PASSWORDS or password == unquote(parts.username or "").lower()):
            return True
    return False


def _keys(text: str) -> list[bytes]:
    """The keys of PIGI_SECRET_KEYS or of the file that it names, as far as they are keys: the keyring says the rest."""
    try:
        lines = text.split(",") if ":" in text else Path(text).expanduser().read_text().splitlines()
        found = [base64.b64decode(line.partition(":")[2].strip()) for line in lines if ":" in line]
    except (OSError, ValueError, binascii.Error):
        return []
    return [key for key in found if len(key) == KEY_BYTES]


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def exposure_of(path: Path) -> str:
    """How others get at a file of keys, as words with what to do; empty if they do not, or if there is no such file.

    Whoever may write to its folder can put another file in its place, unless the sticky bit forbids it (chmod(2)).
    """
    if not path.exists():
        return ""
    if _open_to_others(path):
        return "can be read by others; chmod 600 it"
    return "is in a folder that others can write to; chmod 700 that" if _replaceable(path) else ""


def _replaceable(path: Path) -> bool:
    """Also by way of a link: the one that leads there, and what it leads to."""
    try:
        modes = {folder.stat().st_mode for folder in (path.absolute().parent, path.resolve().parent)}
    except OSError:
        return False
    return any(mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX for mode in modes)


def _keys_file(text: str) -> Path | None:
    return Path(text).expanduser() if text and ":" not in text else None


def _set(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if os.environ.get(name) or os.environ.get(name.lower())]


def _stores(settings: Any) -> tuple[str, str]:
    return settings.files_url, settings.backups_url


def _is_s3(url: str) -> bool:
    parts = parts_of(url)
    return parts.scheme == "s3" and bool(parts.netloc)


def _is_folder(url: str) -> bool:
    parts = parts_of(url)
    return parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc


def _files_abroad(settings: Any) -> bool:
    regions = [option_of(url, "region") for url in _stores(settings)]
    # Some hosts of S3's protocol have but one region, which they call auto. Amazon's own, unasked, is in Virginia.
    if any(_is_s3(url) and not (option_of(url, "region") or option_of(url, "endpoint")) for url in _stores(settings)):
        return True
    return any(region not in {"", "auto"} and not is_in_the_union(region) for region in regions)


RULES: tuple[Rule, ...] = (
    Rule("keys_missing", "PIGI_SECRET_KEYS must be set in production", lambda s: not s.secret_keys),
    Rule(
        "keys_weak",
        "PIGI_SECRET_KEYS has a key that was not drawn at random; make one with `openssl rand -base64 32`",
        lambda s: any(map(is_weak, _keys(s.secret_keys))),
    ),
    Rule(
        "keys_readable",
        "the file that PIGI_SECRET_KEYS names can be read or replaced by others; chmod 600 it, and 700 its folder",
        lambda s: (path := _keys_file(s.secret_keys)) is not None and exposure_of(path),
    ),
    Rule("model_key_missing", "ANTHROPIC_API_KEY must be set in production", lambda s: not s.anthropic_api_key),
    Rule(
        "model_elsewhere",
        f"ANTHROPIC_BASE_URL must be https://{ANTHROPIC_HOST} in production: stand-ins are for development",
        lambda s: not is_at(s.anthropic_base_url, ANTHROPIC_HOST),
        "P22",
    ),
    Rule(
        "billing_elsewhere",
        f"STRIPE_API_BASE must be https://{STRIPE_HOST} in production: stand-ins are for development",
        lambda s: not is_at(s.stripe_api_base, STRIPE_HOST),
        "P22",
    ),
    Rule(
        "detour",
        f"none of {', '.join(DETOURS)} may be set: data would go to somebody who is not among the recipients",
        lambda _: _set(DETOURS),
        "P22",
    ),
    Rule(
        "mail_signs_in",
        "SMTP_URL must be smtps:// or smtp:// with a user and a password in production",
        lambda s: not _signs_in(s.smtp_url),
        "P18",
    ),
    Rule("sender_missing", "MAIL_FROM must be set in production", lambda s: not s.mail_from),
    Rule(
        "sender_malformed",
        "MAIL_FROM must be one address, or a name and one, such as Pigi <pigi@example.org>",
        lambda s: s.mail_from and not _SENDER.fullmatch(s.mail_from),
    ),
    Rule(
        "operator_missing",
        "PIGI_OPERATOR must be set in production: the policy says who answers for it (GDPR, article 13(1)(a))",
        lambda s: not s.operator,
    ),
    Rule(
        "public_plain",
        "PIGI_PUBLIC_URL must be an https address in production: without it cookies travel in the clear",
        lambda s: not s.public_url.startswith("https://"),
        "P18",
    ),
    Rule(
        "database_kind",
        "DATABASE_URL must name PostgreSQL in production",
        lambda s: not s.database_url.startswith("postgresql"),
    ),
    Rule(
        "database_plain",
        "DATABASE_URL and TENANT_DATABASE_URL must ask for TLS (sslmode=verify-full) in production",
        lambda s: not asks_for_tls(s.database_url) or not asks_for_tls(s.tenant_database_url),
        "P18",
    ),
    Rule(
        "redis_plain",
        "REDIS_URL must be rediss:// or a unix socket in production",
        lambda s: not s.redis_url.startswith(("rediss://", "unix://")),
        "P18",
    ),
    Rule(
        "redis_unchecked",
        "REDIS_URL must not waive the check of the server's certificate or name: leave out ssl_cert_reqs and"
        " ssl_check_hostname, and name a private authority's file by ssl_ca_certs",
        lambda s: waives_checks(s.redis_url),
        "P18",
    ),
    Rule(
        "authority_unreadable",
        "the files that sslrootcert, ssl_ca_certs and SMTP_CA_FILE name must be readable and hold certificates (PEM)",
        lambda s: not all(map(_is_authority, _authorities(s))),
        "P18",
    ),
    Rule(
        "files_plain",
        "FILES_URL and BACKUPS_URL must be reached over https in production",
        lambda s: any(option_of(url, "endpoint").startswith("http:") for url in (s.files_url, s.backups_url)),
        "P18",
    ),
    Rule(
        "password_default",
        "DATABASE_URL, TENANT_DATABASE_URL, REDIS_URL and SMTP_URL must not have a password that everybody tries"
        " first; choose a random one",
        lambda s: _default_password(s.database_url, s.tenant_database_url, s.redis_url, s.smtp_url),
    ),
    Rule(
        "region_outside",
        "PIGI_REGION must be a region in the EU, such as eu-central or de, by its host's name for it",
        lambda s: not is_in_the_union(s.region),
        "P17",
    ),
    Rule(
        "files_outside",
        "FILES_URL and BACKUPS_URL must name regions in the EU, as s3://bucket/prefix?region=eu-central-1",
        _files_abroad,
        "P17",
    ),
    Rule(
        "files_kind",
        "FILES_URL and BACKUPS_URL must be file:///an/absolute/folder or s3://bucket/prefix?region=...",
        lambda s: not all(_is_s3(url) or _is_folder(url) for url in _stores(s)),
    ),
    Rule(
        "recipient_malformed",
        "PIGI_BACKUP_RECIPIENT must be the line that `pigi backups keygen` printed: no backup would be made",
        lambda s: s.backup_recipient and not _RECIPIENT.fullmatch(s.backup_recipient.strip()),
    ),
    Rule("debugging", f"none of {', '.join(DEBUGGING)} may be set in production", lambda _: _set(DEBUGGING)),
    Rule(
        "home_readable",
        "PIGI_HOME can be read by others; chmod 700 it",
        lambda s: _open_to_others(s.home),
    ),
)
"""In the order in which they are told."""
