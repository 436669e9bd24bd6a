"""What a process of Pigi is given so that it finds a test's installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.settings import Settings

ROOT = Path(__file__).parents[2]
TOLD = {
    "PIGI_HOME": "home",
    "DATABASE_URL": "database_url",
    "TENANT_DATABASE_URL": "tenant_database_url",
    "REDIS_URL": "redis_url",
    "PIGI_SECRET_KEYS": "secret_keys",
    "PIGI_PUBLIC_URL": "public_url",
    "PIGI_PLANS": "plans",
    "STRIPE_API_BASE": "stripe_api_base",
    "STRIPE_API_KEY": "stripe_api_key",
    "STRIPE_PRICES": "stripe_prices",
    "STRIPE_WEBHOOK_SECRET": "stripe_webhook_secret",
}


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a process on these settings."""
    chosen = {name: str(getattr(settings, field)) for name, field in TOLD.items()}
    return {**os.environ, **chosen, "PYTHONPATH": str(ROOT)}
