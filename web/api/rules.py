"""The rules for resources over HTTP: what an organisation makes of each."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pigi.domain.access import Action
from pigi.domain.resources.rules import LENIENT
from pigi.operations.rules import change_rules, list_rules
from web.api.organisations import ALL
from web.http.replies import as_json, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import RequestModel, ResponseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.operations.rules import RuleView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

DEFAULT = "default"


class RulesRequest(RequestModel):
    """What the organisation makes of its rules; a rule that is left out is at its default."""

    choices: dict[str, Literal["default", "refuse", "warn"]] = Field(
        max_length=200,
        description="By the rule's id: refuse what breaks it, warn of it, or leave it at its default.",
        json_schema_extra={"propertyNames": {"enum": [*LENIENT]}},
    )


class Rule(ResponseModel):
    """A rule for resources. ``level`` is what holds now: what breaks an ``error`` is refused, of a ``warning`` told.

    A ``fixed`` rule is not for an organisation to decide about.
    """

    rule: str
    sentence: str
    source: str
    fixed: bool
    default: Literal["error", "warning"]
    choice: Literal["refuse", "warn"] | None
    level: Literal["error", "warning"]


class RuleList(ResponseModel):
    """The rules for resources, with what the organisation made of them; ``choices`` can be sent back."""

    choices: dict[str, Literal["refuse", "warn"]]
    rules: list[Rule]


RULES = f"{ALL}/<organisation>/rules"


def show_rules(context: OrganisationContext) -> Reply:
    """The rules for resources: which are refused, and which the organisation may decide about."""
    return _shown(list_rules(context.application, context.caller))


def decide(context: OrganisationContext) -> Reply:
    """Decide which rules are refused and which are warned of; it counts from the next saving on."""
    wanted = {rule: choice for rule, choice in read_body(RulesRequest).choices.items() if choice != DEFAULT}
    return _shown(change_rules(context.application, context.caller, wanted, context.record))


def _replay(context: OrganisationContext, _location: str) -> Reply:
    return show_rules(context)


def _shown(rules: Sequence[RuleView]) -> Reply:
    choices = {view.rule: view.choice for view in rules if view.choice is not None}
    return reply(as_json({"choices": choices, "rules": [asdict(view) for view in rules]}))


ROUTES = (
    Route(
        "GET",
        RULES,
        show_rules,
        Action.CONFIGURATION_READ,
        RouteKind.READ,
        "List the rules for resources",
        (ResponseSpec(200, "The rules", RuleList),),
    ),
    Route(
        "PUT",
        RULES,
        decide,
        Action.ORGANISATION_CHANGE,
        RouteKind.WRITE,
        "Decide which rules are refused",
        (ResponseSpec(200, "The rules", RuleList, headers=("Idempotency-Replayed",)),),
        problems=("confirmation_required", "too_many_today"),
        body=RulesRequest,
        replay=_replay,
    ),
)
