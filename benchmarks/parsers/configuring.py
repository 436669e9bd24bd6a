"""What whoever runs Pigi says in the environment, and what providers say in their answers' headers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.parser import Parser
from pigi.domain.plans import Plans
from pigi.errors import Misconfigured, Permanent
from pigi.gateways.retry_after import parse_retry_after
from pigi.gateways.smtp_message import read_recipient, read_sender
from pigi.gateways.smtp_server import read_server
from pigi.jobs.queueing.notifications import encode, job_in
from pigi.jobs.queueing.partitions import Notification
from pigi.settings import Settings, problems_of
from pigi.store.keyring import Keyring

PLACES = (
    *("database_url", "redis_url", "files_url", "backups_url", "smtp_url", "public_url", "region", "mail_from"),
    *("stripe_api_base", "stripe_api_key", "stripe_webhook_secret", "anthropic_base_url"),
    *("support_address", "security_address", "privacy_address", "backup_recipient"),
)
NOW = datetime(2026, 11, 30, tzinfo=UTC)
URLS = (
    "postgresql://u:p@db:5432/x?sslmode=verify-full&sslrootcert=/ca",
    "rediss://r:6379/0?ssl_cert_reqs=none",
    "s3://b/p?region=de",
    "smtps://u:p@m",
)
PARTS = ("://", ":", "@", "/", "?", "&", "=", "[", "]", "%", "#", "sslmode", "region", "::", "99999")


def settings(text: str) -> str:
    """One text in every place that takes any."""
    places = dict.fromkeys(PLACES, text)
    made: Any = Settings(mode="production", secret_keys=f":{text}", tenant_database_url=f"{text}{{id}}", **places)
    return repr([getattr(one, "code", one) for one in problems_of(made)])


def plans(text: str) -> str:
    return repr(sorted(Plans.from_settings(SimpleNamespace(plans=text, stripe_prices="")).by_name))  # type: ignore[arg-type]


def prices(text: str) -> str:
    return repr(Plans.from_settings(SimpleNamespace(plans="", stripe_prices=text)).by_price)  # type: ignore[arg-type]


def keyring(text: str) -> list[str]:
    return Keyring.from_settings(SimpleNamespace(secret_keys="k:" + text, production=True)).names  # type: ignore[arg-type]


def retry_after(text: str) -> str:
    return repr(parse_retry_after({"retry-after": text, "retry-after-ms": text[::-1]}, NOW))


def sender(text: str) -> str:
    return repr(read_sender(text))


def recipient(text: str) -> str:
    return repr(read_recipient(text))


def server(text: str) -> str:
    found = read_server(text)
    return f"{found.host} {found.port}"


def notification(text: str) -> str:
    return repr(job_in(text.encode("utf-8", "surrogatepass")))


PARSERS = (
    Parser("addresses of stores", Grammar(URLS, PARTS), settings, (Misconfigured,), dear=10),
    Parser(
        "PIGI_PLANS",
        Grammar((json.dumps({"free": {"members": 3}}),), ("{", "}", '"', ":", ",", "[", "]", "9" * 30, "-1", '"free"')),
        plans,
        (Misconfigured,),
    ),
    Parser(
        "STRIPE_PRICES",
        Grammar(("price_1=team", "price_1=team, price_2=business"), ("=", ",", " ", "price_", "team")),
        prices,
        (Misconfigured,),
    ),
    Parser(
        "PIGI_SECRET_KEYS",
        Grammar(("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",), ("=", ",", ":", "k2:", "é")),
        keyring,
        (Misconfigured,),
    ),
    Parser(
        "Retry-After",
        Grammar(
            ("120", "1.5", "Mon, 30 Nov 2026 09:00:00 GMT"),
            ("9" * 30, "e9", "-", "inf", "nan", "GMT", "+9999", ":", ","),
            wire=True,
        ),
        retry_after,
    ),
    Parser(
        "MAIL_FROM",
        Grammar(("Pigi <pigi@example.org>", "pigi@example.org"), ("<", ">", "@", '"', "\r\n", ",", "=?utf-8?q?x?=")),
        sender,
        (Misconfigured,),
    ),
    Parser(
        "recipients",
        Grammar(("ada@example.org", "a@bücher.example"), ("<", ">", "@", "\r\n", ",")),
        recipient,
        (Permanent,),
    ),
    Parser("SMTP_URL", Grammar(URLS, PARTS), server, (Misconfigured,)),
    Parser(
        "notifications",
        Grammar(
            (encode(Notification("generations.draft", "0193a2b4-7c1e-7d3f-9a55-0c2f6e8b1d47", "generation")),),
            ('"', "{", "}", "body", "[", "]", "W10="),
        ),
        notification,
    ),
)
