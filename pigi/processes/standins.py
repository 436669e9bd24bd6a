"""The rows of the stand-ins: what plays a provider in development while no key for the real one is set.

Each fills in what the other programs need to find it. Production has none (P22).
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.stripe_api import WEBHOOK_PATH
from pigi.processes import addresses, commands
from pigi.processes.program import CannotStartError, Program, Stage
from pigi.store.files import private_folder

if TYPE_CHECKING:
    from pigi.settings import Settings

    Rows = tuple[list[Program], list[str]]

LOCAL = "127.0.0.1"
PLACEHOLDER_KEY = "stand-in"
STRIPE_PLACEHOLDER_KEY = "sk_test_standin"
"""The stand-in takes any key; the form says that no money is real (`Settings.stripe_live`)."""
STRIPE_PRICES = "price_team_month=team,price_team_year=team,price_business_month=business"
"""What the stand-in sells by itself, and the plan that each price buys."""


def rows(settings: Settings, web: str, shared: dict[str, str], *, wanted: bool) -> Rows:
    """The rows, and the notices about them. ``web`` is the web server's address on this machine.

    Adds to ``shared``, the environment of the other programs. Raises CannotStartError for a provider without whom
    nothing works, if there is neither a key nor a stand-in.
    """
    programs: list[Program] = []
    notices: list[str] = []
    for played, of_them in (
        _anthropic(settings, shared, wanted=wanted),
        _stripe(settings, web, shared, wanted=wanted),
        _mail(settings, shared, wanted=wanted),
    ):
        programs += played
        notices += of_them
    return programs, notices


def _anthropic(settings: Settings, shared: dict[str, str], *, wanted: bool) -> Rows:
    if settings.anthropic_api_key:
        return [], []
    if settings.anthropic_base_url and not settings.production:
        shared["ANTHROPIC_API_KEY"] = PLACEHOLDER_KEY
        return [], []
    if settings.production or not wanted:
        raise CannotStartError(sentence="there is no ANTHROPIC_API_KEY and stand-ins were not wanted; set the key")
    port = addresses.any_free()
    shared["ANTHROPIC_BASE_URL"] = f"http://{LOCAL}:{port}"
    shared["ANTHROPIC_API_KEY"] = PLACEHOLDER_KEY
    program = _program("anthropic", f"a stand-in, {LOCAL}:{port}", commands.anthropic_stand_in(port), port)
    return [program], [
        "Anthropic is a local stand-in: it writes canned drafts. Set ANTHROPIC_API_KEY for the real one."
    ]


def _stripe(settings: Settings, web: str, shared: dict[str, str], *, wanted: bool) -> Rows:
    """Nobody needs Stripe to use Pigi, so without it nobody is charged."""
    if settings.stripe_api_key:
        return [], []
    if settings.production or not (wanted or settings.stripe_api_base):
        return [], ["Nobody is charged: there is no STRIPE_API_KEY."]
    if settings.stripe_api_base:
        _check_half(settings)
        shared["STRIPE_API_KEY"] = STRIPE_PLACEHOLDER_KEY
        return [], []
    port, secret = addresses.any_free(), f"whsec_{secrets.token_hex(16)}"
    page, folder = f"http://{LOCAL}:{port}", settings.home / "standins"
    shared |= {
        "STRIPE_API_BASE": page,
        "STRIPE_API_KEY": STRIPE_PLACEHOLDER_KEY,
        "STRIPE_WEBHOOK_SECRET": secret,
        "STRIPE_PRICES": STRIPE_PRICES,
    }
    program = Program(
        "stripe",
        f"a stand-in, its page at {page}",
        Stage.SERVERS,
        commands.stripe_stand_in(port, web + WEBHOOK_PATH, folder / "stripe.json"),
        environment={**commands.environment(), commands.STANDIN_SECRET: secret},
        ready=partial(addresses.answers, LOCAL, port, "/healthz"),
        before=partial(private_folder, folder),
    )
    notice = f"Stripe is a local stand-in: no money is real, and {page} shows what it knows."
    return [program], [f"{notice} Set STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET and STRIPE_PRICES for the real one."]


def _check_half(settings: Settings) -> None:
    """A stand-in of somebody's own has a secret and prices of its own."""
    if not (settings.stripe_webhook_secret and settings.stripe_prices):
        raise CannotStartError(
            sentence="STRIPE_API_BASE names a stand-in; set its STRIPE_WEBHOOK_SECRET and STRIPE_PRICES too"
        )


def _mail(settings: Settings, shared: dict[str, str], *, wanted: bool) -> Rows:
    if settings.smtp_url:
        return [], []
    if settings.production or not wanted:
        raise CannotStartError(sentence="there is no SMTP_URL and stand-ins were not wanted; set the mail server")
    port, pages = addresses.any_free(), addresses.any_free()
    outbox = f"http://{LOCAL}:{pages}"
    shared["SMTP_URL"] = f"smtp://{LOCAL}:{port}"
    program = _program("mail", f"a sink, its outbox at {outbox}", commands.mail_stand_in(port, pages), pages)
    return [program], [
        f"Mail goes nowhere: a local sink takes it, and {outbox} shows it. Set SMTP_URL for a real mail server."
    ]


def _program(name: str, shown: str, argv: tuple[str, ...], port: int) -> Program:
    return Program(
        name,
        shown,
        Stage.SERVERS,
        argv,
        environment=commands.environment(),
        ready=partial(addresses.answers, LOCAL, port, "/healthz"),
    )
