"""What is left of usage over HTTP, for operators."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pigi.operations.usage import LONGEST, read_usage
from web.http.replies import API, as_json, reply
from web.http.requests import read_query
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import ResponseModel

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply

QUERY: dict[str, dict[str, Any]] = {
    "days": {
        "description": f"how many days, from 1 to {LONGEST}",
        "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": 30},
    }
}


class UsageDay(ResponseModel):
    """A day that is over: the sum of what is shown of it, and how many features are shown and left out."""

    day: date
    total: int
    shown: int
    left_out: int = Field(description="Features that too few used for a count about nobody, or that nobody used.")


class UsageFeature(ResponseModel):
    """A feature, with its count of each day; null where it was left out or unused."""

    event: str = Field(description="Permanent.")
    title: str
    counts: list[int | None]


class Usage(ResponseModel):
    """Daily counts, rounded to ten, the oldest day first."""

    days: list[UsageDay]
    features: list[UsageFeature]


def show_usage(context: AccountContext) -> Reply:
    """How often features were used on the days that are over, in counts that are about nobody."""
    view = read_usage(context.application, int(read_query(QUERY).get("days", 30)))
    days = [{**vars(day), "day": day.day.isoformat()} for day in view.days]
    return reply(as_json({"days": days, "features": [vars(feature) for feature in view.features]}))


ROUTES = (
    Route(
        "GET",
        f"{API}/operate/usage",
        show_usage,
        Who.OPERATOR,
        RouteKind.READ,
        "Read what features are used",
        (ResponseSpec(200, "The counts", Usage),),
        problems=("not_found", "invalid"),
        query=QUERY,
    ),
)
