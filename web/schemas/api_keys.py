"""API keys as they are sent and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from pigi.domain.access import Scope
from pigi.operations.api_keys import DEFAULT_DAYS, LONGEST_DAYS
from pigi.operations.key_changes import DEFAULT_OVERLAP_DAYS, LONGEST_OVERLAP_DAYS
from web.schemas import WHOLE, Asked, Id, Told
from web.texts import Title

ScopeName = Literal["configuration:read", "configuration:write", "generations:write"]
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS, description="Days until the new key ends."), WHOLE]
Overlap = Annotated[
    int, Field(ge=0, le=LONGEST_OVERLAP_DAYS, description="Days until the old key ends; 0 ends it now."), WHOLE
]


class KeyRequest(Asked):
    """Make a key."""

    label: Title
    scopes: list[ScopeName] = Field(min_length=1, max_length=len(Scope), description="What it may do.")
    days: Days = DEFAULT_DAYS


class RotationRequest(Asked):
    """Make a successor of a key; the old one goes on for the overlap, unless it ends before by itself."""

    days: Days = DEFAULT_DAYS
    overlap_days: Overlap = DEFAULT_OVERLAP_DAYS


class ApiKey(Told):
    """A key without its secret; ``last_used_on`` is a day, ``created_by_name`` null once that person has left."""

    id: Id
    label: str
    scopes: list[ScopeName]
    state: Literal["active", "expired", "revoked"]
    created_at: datetime
    created_by: Id | None
    created_by_name: str | None
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    replaces: Id | None


class IssuedApiKey(ApiKey):
    """A new key; ``key`` is what its holder sends, told once: null when an Idempotency-Key is repeated."""

    key: str | None


class ApiKeyList(Told):
    """Live keys, newest first, then those that ended."""

    api_keys: list[ApiKey]
