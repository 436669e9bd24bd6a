"""What only a look at the servers can tell of a deployment: connections, certificates, clocks, a Redis that forgets.

A server that is away is not a lapse: processes start and wait for it, as they do later. What was looked at and is
wrong refuses the start in production. Each look takes a few seconds at most.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pigi.errors import Misconfigured
from pigi.production import Lapse
from pigi.store.engines import make_engine
from pigi.store.servers import MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.settings import Settings

ANSWER_SECONDS: Final = 3.0
MOST_DRIFT: Final = 2.0
"""Seconds that clocks may differ: leases and rate limits are reckoned by the database's, links by the process's."""
_SMTP_PORTS: Final = {"smtps": 465, "smtp": 587}


def live_lapses(settings: Settings) -> list[Lapse]:
    """What is wrong with the servers that the settings name, each with what to do; empty where they are away."""
    return [lapse for look in LOOKS for lapse in look(settings)]


def refuse_lapses(settings: Settings) -> None:
    """Raise Misconfigured if production may not start on these servers; look at nothing in development."""
    lapses = live_lapses(settings) if settings.production else []
    if lapses:
        raise Misconfigured(list(lapses))


def _database(settings: Settings) -> list[Lapse]:
    control = _database_at(settings.database_url)
    # Organisations' databases need not exist yet; their server has this one.
    tenant = make_url(settings.tenant_database_url.replace("{id}", "none")).set(database=MAINTENANCE)
    return control or _database_at(tenant)


def _database_at(url: Any) -> list[Lapse]:
    target = make_url(url)
    if target.get_backend_name() != "postgresql":
        return []
    engine = make_engine(target, pool_size=1, max_overflow=0)
    try:
        with engine.connect() as connection:
            before = time.time()
            theirs: Any = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            # What libpq says, not pg_stat_ssl: with a pooler between, the server knows another connection.
            encrypted = connection.connection.driver_connection.pgconn.ssl_in_use  # type: ignore[union-attr]
            lapses = _differs("the database", float(theirs), before)
    except SQLAlchemyError as error:
        return _untrusted_database(error)
    finally:
        engine.dispose()
    local = str(target.query.get("host", "")).startswith("/")
    return lapses if encrypted or local else [*lapses, _PLAIN]


_PLAIN: Final = Lapse(
    "database_plain",
    "the database is connected to without TLS: set ssl=on there and sslmode=verify-full in its URL",
    "P18",
)


def _untrusted_database(error: SQLAlchemyError) -> list[Lapse]:
    # libpq has no codes for what precedes the session, only English words, which it does not translate here.
    words = str(getattr(error, "orig", ""))
    if "does not support SSL" in words:
        return [_PLAIN]
    if "certificate" in words or "SSL error" in words:
        return [
            Lapse(
                "database_untrusted",
                "the database's certificate is not to be trusted: name its authority's file by sslrootcert in"
                " DATABASE_URL and TENANT_DATABASE_URL, and the server by the name in its certificate",
                "P18",
            )
        ]
    return []


def _redis(settings: Settings) -> list[Lapse]:
    client: Any = redis.Redis.from_url(
        settings.redis_url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        with client:
            before = time.time()
            seconds, micros = client.time()
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except (redis.RedisError, OSError) as error:
        return _untrusted_redis(error)
    lapses = _differs("Redis", seconds + micros / 1e6, before)
    if policy != "noeviction":
        words = f"Redis has maxmemory-policy {policy}, which drops messages; set noeviction"
        lapses.append(Lapse("redis_evicts", words))
    return lapses


def _untrusted_redis(error: BaseException) -> list[Lapse]:
    if not _is_about_tls(error):
        return []
    words = (
        "Redis does not speak TLS or its certificate is not to be trusted: set tls-port there, name its authority's"
        " file by ssl_ca_certs in REDIS_URL, and the server by the name in its certificate"
    )
    return [Lapse("redis_untrusted", words, "P18")]


def _is_about_tls(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLError) or "SSL" in str(error) or "certificate" in str(error):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _mail(settings: Settings) -> list[Lapse]:
    parts = urlsplit(settings.smtp_url)
    port = parts.port or _SMTP_PORTS.get(parts.scheme)
    if not parts.hostname or port is None:
        return []
    try:
        context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    except OSError:
        return []  # `authority_unreadable` says so
    try:
        _greet(parts.scheme, parts.hostname, port, context)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):
        words = (
            "the mail server has no TLS, or its certificate is not to be trusted: name its authority's file by"
            " SMTP_CA_FILE, and the server by the name in its certificate"
        )
        return [Lapse("mail_untrusted", words, "P18")]
    except (OSError, smtplib.SMTPException):
        return []
    return []


def _greet(scheme: str, host: str, port: int, context: ssl.SSLContext) -> None:
    """As far as TLS goes: nobody signs in, nothing is sent."""
    if scheme == "smtps":
        with smtplib.SMTP_SSL(host, port, "localhost", timeout=ANSWER_SECONDS, context=context):
            return
    with smtplib.SMTP(host, port, "localhost", timeout=ANSWER_SECONDS) as line:
        line.starttls(context=context)


def _files(settings: Settings) -> list[Lapse]:
    endpoints = {
        parse_qs(urlsplit(url).query).get("endpoint", [""])[0] for url in (settings.files_url, settings.backups_url)
    }
    words = "the server of FILES_URL or BACKUPS_URL has no TLS, or its certificate is not to be trusted"
    return [Lapse("files_untrusted", words, "P18") for endpoint in sorted(endpoints) if not _is_trusted(endpoint)]


def _is_trusted(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or not parts.hostname:
        return not endpoint
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=ANSWER_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) as line,
        ):
            with suppress(OSError):
                line.unwrap()
            return True
    except ssl.SSLError:
        return False
    except OSError:
        return True


def _differs(whose: str, theirs: float, before: float) -> list[Lapse]:
    """Compared with the middle of the time that asking took."""
    drift = theirs - (before + time.time()) / 2
    if abs(drift) <= MOST_DRIFT:
        return []
    return [
        Lapse("clocks_differ", f"the clock of {whose} differs from this machine's by {drift:+.0f} s; run NTP on both")
    ]


LOOKS: tuple[Callable[[Settings], list[Lapse]], ...] = (_database, _redis, _mail, _files)
