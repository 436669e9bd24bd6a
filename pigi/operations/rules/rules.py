"""Reading and changing what an organisation makes of the rules for its resources.

A choice counts from the next saving on. What is saved already stays, and shows what it breaks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update

from pigi.domain.access import Action
from pigi.domain.resources.rules import RULES, Choice, Level, chosen, level_of
from pigi.errors import Refused
from pigi.flaws import may_repeat
from pigi.operations.access import ORGANISATION, changing_access, choices_in, choices_of
from pigi.operations.audit import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

DEFAULT = "default"
UNKEPT = frozenset({"not-a-draft", "name-differs"})
"""Rules for what a model answers; nobody saves what breaks them."""


@dataclass(frozen=True)
class RuleView:
    """A rule, and whether what breaks it is refused: by default, by the organisation's choice, and so in effect."""

    rule: str
    sentence: str
    source: str
    fixed: bool
    default: Level
    choice: Choice | None
    level: Level


def list_rules(application: Application, caller: Caller) -> list[RuleView]:
    """Every rule for resources, in the order in which Pigi lists them."""
    choices = choices_of(application.control, caller.organisation_id)
    return [
        RuleView(
            rule, facts.sentence, facts.source, facts.fixed, facts.level, choices.get(rule), level_of(rule, choices)
        )
        for rule, facts in RULES.items()
        if rule not in UNKEPT
    ]


def change_rules(
    application: Application, caller: Caller, choices: Mapping[str, str], on_done: OnDone | None = None
) -> list[RuleView]:
    """Put ``choices`` in place of all that the organisation chose; a rule that is not among them is at its default.

    Raises Refused: ``invalid`` for a rule that there is none of, or that is not for the organisation to decide about;
        ``confirmation_required`` if something is let through that was refused; and as `changing_access`.
    """
    wanted = chosen(choices)
    _refuse_others(choices, wanted)
    with changing_access(application, caller, Action.ORGANISATION_CHANGE) as (session, _):
        was = choices_in(session.connection(), caller.organisation_id)
        here = ORGANISATION.c.id == caller.organisation_id
        session.execute(update(ORGANISATION).where(here).values(rules=json.dumps(wanted) if wanted else None))
        for rule in RULES:
            if was.get(rule) != wanted.get(rule):
                told = {"rule": rule, "choice": wanted.get(rule, DEFAULT), "before": was.get(rule, DEFAULT)}
                record(session, application, "rule.chosen", caller.name, caller.organisation_id, **told)
        if on_done is not None:
            on_done(session)
    return list_rules(application, caller)


def _refuse_others(choices: Mapping[str, str], wanted: Mapping[str, Choice]) -> None:
    errors = []
    for rule in choices:
        if rule in wanted:
            continue
        fixed = rule in RULES and RULES[rule].fixed
        message = "is not for an organisation to decide about" if fixed else "is no rule; GET lists them"
        known = rule in RULES or may_repeat(rule)
        place = rule.replace("~", "~0").replace("/", "~1")
        errors.append({"pointer": f"/choices/{place}" if known else "/choices", "message": message})
    if errors:
        raise Refused("invalid", errors=errors)
