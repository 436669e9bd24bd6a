"""What no probe can see: an operator answers for it, on record, for a time; without that its line is not green."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from pigi.clock import now
from pigi.domain.controls import Evidence
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.audit import CLI, CONTENT
from pigi.operations.promises import (
    all_controls,
    attest,
    check_controls,
    list_attestations,
    promises_document,
    promises_standing,
    withdraw_attestation,
)
from pigi.operations.promises.standing import NOBODY
from tests.operations.promises.test_standing import at

ATTESTED = [control for control in all_controls().values() if control.kind is Evidence.ATTESTED]
CONTROL = next(control for control in ATTESTED if control.promise == "P13")
WORD = "Our contract of March excludes it."


def _state(application):
    standing = next(one for one in promises_standing(application) if one.id == CONTROL.promise)
    found = [own for own in standing.controls if own.control == CONTROL]
    return standing.state.value, found[0].state.value if found else None


def _check(application):
    check_controls(application, [control for control in all_controls().values() if control.promise == CONTROL.promise])


def test_an_operator_answers_until_a_day_and_then_the_line_is_stale(application):
    _check(application)
    assert _state(application) == ("holding", None)
    until = (now() + timedelta(days=30)).date()
    standing = attest(application, CLI, CONTROL.name, WORD, until)
    assert (standing.valid_until - timedelta(days=1)).date() == until
    assert _state(application) == ("attested", "attested")
    attest(application, CLI, CONTROL.name, WORD, now().date())
    later = now() + timedelta(days=1, seconds=1)
    with at(later):
        _check(application)
        assert _state(application) == ("stale", "stale")
    with application.control.autocommit() as connection:
        acts = connection.execute(select(CONTENT.c.actor, CONTENT.c.details)).all()
    assert [tuple(act) for act in acts] == [(CLI, f'{{"control":"{CONTROL.name}"}}')] * 2


def test_the_document_has_the_role_and_the_word_and_not_the_person(application):
    person = new_id()
    attest(application, f"operator:{person}", CONTROL.name, WORD, now().date())
    document = promises_document(application)
    controls = [own for promise in document["promises"] for own in promise["controls"]]
    own = next(own for own in controls if own["kind"] == "attested")
    assert own["evidence"] == f"An operator states: {WORD}"
    assert own["valid_until"] is not None
    assert person not in json.dumps(document)


def test_it_can_be_taken_back_at_once(application):
    _check(application)
    with pytest.raises(Refused, match="not_found"):
        withdraw_attestation(application, CLI, CONTROL.name)
    attest(application, CLI, CONTROL.name, WORD, now().date())
    withdraw_attestation(application, CLI, CONTROL.name)
    assert _state(application) == ("stale", "stale")
    assert {own.evidence for own in list_attestations(application)} == {NOBODY}


def test_nobody_answers_for_longer_than_a_year_or_for_the_past_or_for_what_is_probed(application):
    for days in (-1, 367):
        with pytest.raises(Refused, match="attestation_period"):
            attest(application, CLI, CONTROL.name, WORD, (now() + timedelta(days=days)).date())
    for name in ("mails-once", "no-such-control"):
        with pytest.raises(Refused, match="not_found"):
            attest(application, CLI, name, WORD, now().date())
    attest(application, CLI, CONTROL.name, WORD, (now() + timedelta(days=366)).date())


def test_in_production_a_line_is_stale_until_somebody_answers_for_it(application):
    settings = application.settings.model_copy(update={"mode": "production"})
    earnest = replace(application, settings=settings)
    _check(application)
    assert _state(application)[0] == "holding"
    assert _state(earnest) == ("stale", "stale")
    attest(application, CLI, CONTROL.name, WORD, now().date())
    assert _state(earnest) == ("attested", "attested")
