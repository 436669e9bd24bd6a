"""Settings, read once from the environment, typed, failing loudly.

`.env.example` lists them with safe values. Production mode takes nothing for granted: what is unsafe there
is a `Misconfigured` that names the variable.
"""

from __future__ import annotations

import ipaddress
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pigi.errors import Misconfigured
from pigi.flaws import sentence
from pigi.production import STRIPE_HOST, is_at, lapses_of

RESTORING = "restoring"
"""The folder below PIGI_HOME of a restore that is not finished."""
WITHHELD = "withheld"
"""Stands, or ends what stands, in the place of a secret that whoever started this process kept back from it, having
judged it (`pigi.processes.environments`)."""
DEVELOPMENT_SENDER = "Pigi <pigi@localhost>"
DEVELOPMENT_OPERATOR = "whoever started this installation to try it out (PIGI_OPERATOR does not say)"


def listed(text: str) -> tuple[str, ...]:
    """The entries of a setting that may hold several, parted by commas: each once, in their order."""
    return tuple(dict.fromkeys(entry.strip() for entry in text.split(",") if entry.strip()))


_ADDRESSES = {"support_address": "support", "security_address": "security", "privacy_address": "privacy"}


def _named(name: str) -> AliasChoices:
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """All that a deployment may choose. Empty strings count as absent."""

    # Case matters: by name, ``home`` would otherwise be read from HOME, ``host`` from HOST, ``port`` from PORT.
    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True, case_sensitive=True
    )

    mode: Literal["development", "production"] = Field("development", validation_alias=_named("PIGI_MODE"))
    home: Path = Field(Path("var"), validation_alias=_named("PIGI_HOME"))
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, validation_alias=_named("PIGI_PORT"))
    host: str = Field("127.0.0.1", validation_alias=_named("PIGI_HOST"))
    expose_development: bool = Field(False, validation_alias=_named("PIGI_EXPOSE_DEVELOPMENT"))
    public_url: str = Field("", validation_alias=_named("PIGI_PUBLIC_URL"))
    proxies: Annotated[int, Field(ge=0, le=10)] = Field(0, validation_alias=_named("PIGI_PROXIES"))
    fonts: Literal["bunny", "self", "none"] = Field("bunny", validation_alias=_named("PIGI_FONTS"))
    region: str = Field("", validation_alias=_named("PIGI_REGION"))
    operator: Annotated[str, Field(max_length=300)] = Field("", validation_alias=_named("PIGI_OPERATOR"))
    secret_keys: str = Field("", validation_alias=_named("PIGI_SECRET_KEYS"), repr=False)
    database_url: str = Field("", validation_alias=_named("DATABASE_URL"), repr=False)
    tenant_database_url: str = Field("", validation_alias=_named("TENANT_DATABASE_URL"), repr=False)
    redis_url: str = Field("", validation_alias=_named("REDIS_URL"), repr=False)
    files_url: str = Field("", validation_alias=_named("FILES_URL"), repr=False)
    backups_url: str = Field("", validation_alias=_named("BACKUPS_URL"), repr=False)
    backup_recipient: str = Field("", validation_alias=_named("PIGI_BACKUP_RECIPIENT"))
    anthropic_api_key: str = Field("", validation_alias=_named("ANTHROPIC_API_KEY"), repr=False)
    anthropic_base_url: str = Field("", validation_alias=_named("ANTHROPIC_BASE_URL"))
    anthropic_model: str = Field("claude-sonnet-5-5", validation_alias=_named("ANTHROPIC_MODEL"))
    stripe_api_key: str = Field("", validation_alias=_named("STRIPE_API_KEY"), repr=False)
    stripe_api_base: str = Field("", validation_alias=_named("STRIPE_API_BASE"))
    stripe_webhook_secret: str = Field("", validation_alias=_named("STRIPE_WEBHOOK_SECRET"), repr=False)
    stripe_prices: str = Field("", validation_alias=_named("STRIPE_PRICES"))
    plans: str = Field("", validation_alias=_named("PIGI_PLANS"))
    smtp_url: str = Field("", validation_alias=_named("SMTP_URL"), repr=False)
    smtp_ca_file: Path | None = Field(None, validation_alias=_named("SMTP_CA_FILE"))
    mail_from: str = Field("", validation_alias=_named("MAIL_FROM"))
    support_address: str = Field("", validation_alias=_named("PIGI_SUPPORT_ADDRESS"))
    security_address: str = Field("", validation_alias=_named("PIGI_SECURITY_ADDRESS"))
    privacy_address: str = Field("", validation_alias=_named("PIGI_PRIVACY_ADDRESS"))
    generations_in_flight: Annotated[int, Field(ge=1)] = Field(
        12_000, validation_alias=_named("PIGI_GENERATIONS_IN_FLIGHT")
    )
    generations_per_day: Annotated[int, Field(ge=1)] = Field(
        20_000, validation_alias=_named("PIGI_GENERATIONS_PER_DAY")
    )
    invitations_per_day: Annotated[int, Field(ge=1)] = Field(2_000, validation_alias=_named("PIGI_INVITATIONS_PER_DAY"))
    import_bytes: Annotated[int, Field(ge=1)] = Field(2**30, validation_alias=_named("PIGI_IMPORT_BYTES"))
    tenant_engines: Annotated[int, Field(ge=1, le=10_000)] = Field(64, validation_alias=_named("PIGI_TENANT_ENGINES"))

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        home = self.home.resolve()
        fill = {
            "home": home,
            "database_url": self.database_url or f"sqlite:///{home}/control.db",
            "tenant_database_url": self.tenant_database_url or f"sqlite:///{home}/organisations/{{id}}.db",
            "redis_url": self.redis_url or f"unix://{home}/run/redis.sock",
            "files_url": self.files_url or f"file://{home}/files",
            "backups_url": self.backups_url or f"file://{home}/backups",
            "public_url": self.public_url or f"http://{self.host}:{self.port}",
            "mail_from": self.mail_from or ("" if self.production else DEVELOPMENT_SENDER),
            "operator": " ".join(self.operator.split()) or ("" if self.production else DEVELOPMENT_OPERATOR),
        }
        if not self.production:
            fill |= {name: getattr(self, name) or f"{role}@pigi.localhost" for name, role in _ADDRESSES.items()}
        for name, value in fill.items():
            object.__setattr__(self, name, value)
        return self

    def address_for(self, kind: str) -> str:
        """Where messages of a kind are answered, which is ``support`` or ``security``."""
        return {"support": self.support_address, "security": self.security_address}[kind]

    @property
    def production(self) -> bool:
        """Whether the safeguards of production mode apply."""
        return self.mode == "production"

    @property
    def stripe_live(self) -> bool:
        """Whether the keys move real money: their form says so (docs.stripe.com, "API keys")."""
        return "_live_" in self.stripe_api_key

    @classmethod
    def from_environment(cls, *, restoring: bool = False) -> Settings:
        """Read the environment; raises Misconfigured naming each variable that is wrong, without its value.

        While a restore is not finished it raises that, too, unless ``restoring``: nothing may serve before.
        """
        try:
            settings = cls()
        except ValidationError as error:
            problems = [f"{entry['loc'][0]} {sentence(entry)}" for entry in error.errors(include_input=False)]
            raise Misconfigured(problems) from None
        problems = problems_of(settings, restoring=restoring)
        if problems:
            raise Misconfigured(problems)
        return settings


def problems_of(settings: Settings, *, restoring: bool = False) -> list[str]:
    """What forbids starting, one sentence each; empty when all is well. ``restoring``: the restore itself asks."""
    problems = [
        f"{name} must not be set: it makes the SDK record content (P15)" for name in _LEAKY if os.environ.get(name)
    ]
    if "{id}" not in settings.tenant_database_url:
        problems.append("TENANT_DATABASE_URL must contain {id}: each organisation has a database of its own (P16)")
    if not restoring and (settings.home / RESTORING).exists():
        problems.append("a restore is under way or broke off: nothing serves before `pigi restore` has come to its end")
    problems += _exposure_problems(settings) + _address_problems(settings)
    problems += _billing_problems(settings)
    if settings.production:
        problems += lapses_of(settings)
    return problems


def _exposure_problems(settings: Settings) -> list[str]:
    """Development trusts whoever reaches it: mails with their links and codes are for all to read, for one."""
    if settings.production or settings.expose_development or _is_loopback(settings.host):
        return []
    problem = (
        "PIGI_HOST is not an address of this machine's own, and in development mode whoever reaches Pigi could read all"
        " mail with its links and codes in the stand-ins, and passwords on their way, since there is no TLS: leave"
        " PIGI_HOST at 127.0.0.1, or set PIGI_MODE=production; PIGI_EXPOSE_DEVELOPMENT=1 says that you want it so"
    )
    return [problem]


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


def _address_problems(settings: Settings) -> list[str]:
    """Mails and `security.txt` name them, so each is one address and nothing else."""
    return [
        f"PIGI_{name.upper()} must be one address, such as {role}@example.org: pages and mails name it (P12, P21, P34)"
        for name, role in _ADDRESSES.items()
        if not _ADDRESS.fullmatch(getattr(settings, name))
    ]


def _billing_problems(settings: Settings) -> list[str]:
    """Half of a payment provider is worse than none: nobody could pay, or nothing would be heard of it."""
    keyless = not settings.production and settings.stripe_api_base  # a stand-in takes any key
    needed = {
        "STRIPE_API_KEY": settings.stripe_api_key or keyless,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
        "STRIPE_PRICES": settings.stripe_prices,
    }
    if not any(needed.values()):
        return []
    missing = [f"{name} must be set too, or none of {', '.join(needed)}" for name, value in needed.items() if not value]
    return missing + (_misshapen(settings) if is_at(settings.stripe_api_base, STRIPE_HOST) else [])


_STRIPE_KEY = re.compile(r"(sk|rk)_(test|live)_\S+")
_STRIPE_SECRETS = re.compile(r"[,\s]*(whsec_[A-Za-z0-9+/=_-]+([,\s]+|$))+")


def _misshapen(settings: Settings) -> list[str]:
    """What Stripe gives for something else (docs.stripe.com, "API keys").

    A publishable key may do nothing here, and an organisation's needs a header that names one of its accounts.
    """
    secrets = settings.stripe_webhook_secret
    forms = [_STRIPE_KEY.fullmatch(key) for key in listed(settings.stripe_api_key)]
    checks = {
        "STRIPE_API_KEY must be a restricted or secret key of one account: it begins with rk_live_, rk_test_, sk_live_"
        " or sk_test_; two are parted by a comma": not all(forms),
        "STRIPE_API_KEY must not mix keys of live mode and of test mode": len({form[2] for form in forms if form}) > 1,
        "STRIPE_WEBHOOK_SECRET must be the signing secret of a webhook endpoint, which begins with whsec_; two are"
        " parted by a comma": secrets and not _STRIPE_SECRETS.fullmatch(secrets),
    }
    return [problem for problem, wrong in checks.items() if wrong]


_LEAKY = ("ANTHROPIC_LOG", "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "STRIPE_LOG")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings; raises Misconfigured."""
    return Settings.from_environment()
