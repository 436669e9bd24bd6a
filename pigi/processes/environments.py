"""What each process gets of the environment of whoever starts it: which secrets, as data, and else what is named.

A list of what is passed, not of what is kept back: nobody knows what else a shell holds. A secret that a process does
not need is replaced by a word of the same shape, since the rules of production, and what is connected to, go by that.
So whoever takes over a process learns no other key, and what would use one by mistake is refused by its provider.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pydantic import AliasChoices

from pigi.jobs.queues import POOLS
from pigi.production import DETOURS
from pigi.settings import WITHHELD, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STORES: Final = "the credentials of FILES_URL and BACKUPS_URL"
"""Not a setting of Pigi's: the variables that clients of S3 read."""

GRANTED: Final[dict[str, frozenset[str]]] = {
    "migrate": frozenset({"PIGI_SECRET_KEYS"}),
    "demo": frozenset({"PIGI_SECRET_KEYS"}),
    "web": frozenset({"PIGI_SECRET_KEYS", "STRIPE_WEBHOOK_SECRET", STORES}),
    # Mails and payments, and the checks of promises, which say how old each key is and look at the stores.
    "worker-quick": frozenset({"PIGI_SECRET_KEYS", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "SMTP_URL", STORES}),
    "worker-ai": frozenset({"PIGI_SECRET_KEYS", "ANTHROPIC_API_KEY"}),
    # Exports, imports, backups, and deletions, which have a customer deleted.
    "worker-slow": frozenset({"PIGI_SECRET_KEYS", "STRIPE_API_KEY", STORES}),
    "beat": frozenset(),
}
"""By the process's name in the process table. Each of these also gets the addresses of the databases and of Redis, with
the passwords in them, and every setting that is no secret. Redis and stand-ins get no setting at all."""

_PASSED: Final = frozenset(
    "PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TMP TERM COLUMNS LINES NO_COLOR FORCE_COLOR VIRTUAL_ENV"  # noqa: SIM905
    " XDG_CACHE_HOME XDG_RUNTIME_DIR KF_RULE_CACHE_DIR SSL_CERT_FILE SSL_CERT_DIR LD_LIBRARY_PATH LD_PRELOAD".split()
)
_PASSED_FORMS: Final = re.compile(r"(LC_|PYTHON|MALLOC_)[A-Z0-9_]+")
_LIBPQ: Final = re.compile(r"PG[A-Z]+")
"""PostgreSQL's own (its documentation, section 34.15), such as PGPASSFILE."""
_STORES: Final = re.compile(rf"AWS_[A-Z0-9_]+|NO_PROXY|{'|'.join(DETOURS)}")
"""Production refuses what sends connections elsewhere before anything is started."""


def _shaped_key(value: str) -> str:
    """Of Stripe's keys the beginning says whether money is real (`Settings.stripe_live`)."""
    begins = re.match(r"(?:sk|rk)_(?:test|live)_", value)
    return f"{begins[0] if begins else ''}{WITHHELD}"


def _without_password(url: str) -> str:
    """An address that is still connected to, and signs in nowhere."""
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        return WITHHELD
    if password is None:
        return url
    return parts._replace(netloc=f"{user}:{WITHHELD}@{parts.netloc.rpartition('@')[2]}").geturl()


_WITHHOLDING: Final[dict[str, Callable[[str], str]]] = {
    "PIGI_SECRET_KEYS": lambda _: WITHHELD,
    "ANTHROPIC_API_KEY": lambda _: WITHHELD,
    "STRIPE_API_KEY": _shaped_key,
    "STRIPE_WEBHOOK_SECRET": lambda _: f"whsec_{WITHHELD}",
    "SMTP_URL": _without_password,
}
"""The settings that are secrets, or hold one, and what stands in their place where they are not granted."""

_SETTINGS: Final = frozenset(
    str(name)
    for field in Settings.model_fields.values()
    if isinstance(field.validation_alias, AliasChoices)
    for name in field.validation_alias.choices
)


def environment_for(process: str, started_with: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """A process's whole environment: what it may have of the starter's, and ``own``, what its row of the table says.

    ``process`` is a name of `GRANTED`; any other gets no setting and no secret but what ``own`` holds.
    """
    granted = GRANTED.get(process)
    passed = {name: value for name, value in started_with.items() if _passes(name, granted)}
    made = {**passed, **own}
    if granted is None:
        return made
    return {name: _withheld(name.upper(), value, granted) for name, value in made.items()}


def worker_name(pool: str) -> str:
    """The name of a pool's worker process; raises KeyError for an unknown pool."""
    return f"worker-{POOLS[pool].name}"


def _passes(name: str, granted: frozenset[str] | None) -> bool:
    if name in _PASSED or _PASSED_FORMS.fullmatch(name):
        return True
    if granted is None:
        return False
    if _STORES.fullmatch(name.upper()):
        return STORES in granted
    return name in _SETTINGS or _LIBPQ.fullmatch(name) is not None


def _withheld(name: str, value: str, granted: frozenset[str]) -> str:
    shape = _WITHHOLDING.get(name)
    return shape(value) if value and shape is not None and name not in granted else value
