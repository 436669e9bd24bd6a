"""The policy's numbers and names are those of the code: whoever changes one must change the other, or neither."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from pigi.domain.access import Role
from pigi.domain.keys import DATA_KEY_AGE, PROVIDER_KEY_AGE
from pigi.domain.policy import NOTICE, font_clauses, shipped_policy
from pigi.domain.privacy import Recipient
from pigi.domain.privacy_requests import MONTHS_LONGEST, MONTHS_TO_ANSWER
from pigi.domain.promises import PROMISES
from pigi.domain.recipients import RECIPIENTS
from pigi.domain.retention import FINAL_WITHIN, GRACE, HOLD_REVIEW, PERIODS, SESSION_AGE, Basis, Retention, keep
from pigi.domain.usage import LEAST_ORGANISATIONS, MOST_BY_ONE, ROUNDED_TO
from pigi.operations.api_keys.keys import DEFAULT_DAYS, LONGEST_DAYS
from pigi.operations.credentials.passwords import PARAMETERS
from pigi.operations.deletion.account_purge import FORMER
from pigi.privacy.record import processing_record
from pigi.processes.logs import TURNED_AFTER
from pigi.settings import Settings
from pigi.store.sealing import KEY_BYTES
from web.http.auth import SESSION, XSRF
from web.http.routes import RouteKind
from web.pages import ROUTES as PAGES

TEXTS = {sentence.id: sentence.text for sentence in shipped_policy().sentences} | {
    f"fonts-{choice}": clause for choice, clause in font_clauses().items()
}
ROOT = Path(__file__).parents[2]
WORDS = {1: "one", 2: "two"}
YEAR = timedelta(days=365)


def length(period: timedelta | Retention) -> str:
    """As the policy says it."""
    if isinstance(period, Retention) and PERIODS[period].years:
        return f"{PERIODS[period].years} years"
    found = keep(period) if isinstance(period, Retention) else period
    if not found:
        return "at once"
    if found % YEAR == timedelta():
        return f"{found // YEAR} years" if found > YEAR else "a year"
    return f"{found.days} days" if found > timedelta(days=1) else f"{found // timedelta(hours=1)} hours"


R = Retention
FROM_CODE: dict[str, list[str]] = {
    "password-hash": [f"Argon2{'id' if PARAMETERS.type.name == 'ID' else '?'}"],
    "registration-unconfirmed": [length(R.REGISTRATION)],
    "invited-people": [length(R.INVITATION)],
    "logs-requests": [length(R.REQUEST_LOG)],
    "logs-errors": [length(R.ERROR_LOG)],
    "logs-processes": [length(TURNED_AFTER * 2)],
    "jobs-record": [length(R.JOB), length(R.TOMBSTONE)],
    "jobs-repeats": [length(R.IDEMPOTENCY)],
    "throttles": ["a day" if keep(R.THROTTLE) == timedelta(days=1) else "?"],
    "audit-log": [length(R.AUDIT)],
    "improvement": [
        f"fewer than {LEAST_ORGANISATIONS} organisations", f"the nearest {ROUNDED_TO}", f"within {length(R.USAGE)}",
        "more than half" if MOST_BY_ONE == 2 else "?",
    ],
    "ai-draft-erased": [length(R.DRAFT)],
    "ai-provider-retention": [
        "up to 30 days under its commercial terms"
        if "up to 30 days under its commercial terms" in RECIPIENTS[Recipient.ANTHROPIC].keeps else "?"
    ],
    "ai-backup": [length(R.BACKUP)],
    "payment-events": [length(R.BILLING_EVENT), length(R.BILLING_LINK), length(R.BILLING_RUN)],
    "billing-log": [f"{length(R.BILLING_LOG)} from the end of the year"],
    "cookie-session": [SESSION, length(R.SESSION), length(SESSION_AGE)],
    "wrong-passwords": ["an hour after" if keep(R.FAILED_SIGN_IN) == timedelta(hours=1) else "?"],
    "mail-address-undo": [length(R.ADDRESS_UNDO)],
    "mail-record": [length(R.MAIL)],
    "mail-links": [
        "an hour after" if keep(R.TOKEN) == timedelta(hours=1) else "?", length(R.REGISTRATION), length(R.INVITATION)
    ],
    "encryption-at-rest": [f"AES-{KEY_BYTES * 8} in GCM"],
    "keys-rotated": [
        f"{DEFAULT_DAYS} days", f"at most {LONGEST_DAYS}",
        "once a year" if DATA_KEY_AGE == YEAR else "?", f"more than {length(PROVIDER_KEY_AGE)}",
    ],
    "api-key-hash": [length(R.ACCESS_KEY)],
    "deletion-organisation": [f"within {length(FINAL_WITHIN)}", f"for {length(GRACE)}", f"{length(R.BACKUP)} after"],
    "deletion-traces": [length(R.ERASURE), f"counts for {length(R.DELETION)}", f"receipt for {length(R.RECEIPT)}"],
    "deletion-holds": [f"within {length(HOLD_REVIEW)}"],
    "rights-access": [length(R.EXPORT), length(R.EXPORT_RECORD)],
    "rights-erasure": [f"for {length(GRACE)}", f"within {length(FINAL_WITHIN)}"],
    "rights-month": [
        f"within {WORDS[MONTHS_TO_ANSWER]} month", f"up to {WORDS[MONTHS_LONGEST - MONTHS_TO_ANSWER]} further months"
    ],
    "contact-kept": [length(R.TICKET)],
    "rights-register": [length(R.PRIVACY_REQUEST)],
    "rights-erasure-authorship": [f'"{FORMER}"'],
    "changes-told": [length(R.NOTICE)],
    "changes-notice": [f"at least {length(NOTICE)} before"],
    "browser-kept": [SESSION, XSRF, "pigi_theme"],
    "cookie-xsrf": [XSRF],
    "roles": [f"{Role.OWNER}, {Role.ADMIN} or {Role.MEMBER}"],
    "fonts-bunny": ["fonts.bunny.net"],
    "recipients-three": [RECIPIENTS[one].title for one in (Recipient.STRIPE, Recipient.ANTHROPIC, Recipient.BUNNY)],
    "policy-evidence": ["/promises"],
}  # fmt: skip
"""By sentence: what it must say, made of the code's own constants."""
LAW = re.compile(r"article \d+(?:\(\d\))*(?:\([a-f]\))?")


@pytest.mark.parametrize("sentence", sorted(FROM_CODE))
def test_a_sentence_says_what_the_code_does(sentence):
    assert [words for words in FROM_CODE[sentence] if words not in TEXTS[sentence]] == []


def test_no_number_stands_in_a_sentence_that_is_not_held_against_the_code():
    left = {}
    for sentence, text in TEXTS.items():
        rest = LAW.sub("", text)
        for words in FROM_CODE.get(sentence, ()):
            rest = rest.replace(words, "")
        left[sentence] = re.findall(r"\d[\d.]*", rest)
    assert {sentence: numbers for sentence, numbers in left.items() if numbers} == {}


def test_a_period_that_a_sentence_names_is_said():
    sentences = list(shipped_policy().sentences)
    fixed = {name for one in sentences for name in one.periods if PERIODS[Retention(name)].keep is not None}
    said = {name for one in sentences for name in one.periods if name in fixed and length(Retention(name)) in one.text}

    # "when the request is done", "a day", "an hour"; of imports and holds the record alone gives the period.
    assert fixed - said == {"purpose", "throttle", "failed_sign_in", "token", "import", "hold"}


def test_the_pages_that_the_policy_leads_to_are_there():
    paths = {path for text in TEXTS.values() for path in re.findall(r"(?<![\w.])/[a-z.][\w./-]*\w", text)}
    there = {route.path for route in PAGES if route.method == "GET" and route.kind is RouteKind.PAGE}
    assert paths - there - AWAITED == set()
    assert {"/promises", "/privacy", "/privacy/record"} <= paths


AWAITED = {"/contact", "/.well-known/security.txt"}


def test_purposes_stand_under_their_legal_basis():
    record = {one.activity.name: set(one.bases) for one in processing_record()}
    sentences = {one.id: set(one.purposes) for one in shipped_policy().sentences}
    for name, basis in (("contract", Basis.CONTRACT), ("law", Basis.LAW), ("interest", Basis.INTEREST)):
        found = {purpose for purpose, bases in record.items() if basis in bases}
        # The choice of theme, which stays in the browser, is all of it that serves a contract.
        assert found - {"service"} == sentences[f"basis-{name}"] - {"service"}


def test_every_recipient_purpose_and_category_of_the_inventory_is_in_a_sentence():
    sentences = list(shipped_policy().sentences)
    assert {name for one in sentences for name in one.purposes} == {one.activity.name for one in processing_record()}
    assert {name for one in sentences for name in one.recipients} == {one.value for one in Recipient}
    assert {name for one in sentences for name in one.categories} == {
        category for one in processing_record() for category in one.categories
    }
    assert {name for one in sentences for name in one.promises} == set(PROMISES)


def test_each_choice_of_fonts_has_its_clause():
    assert set(font_clauses()) == set(get_args(Settings.model_fields["fonts"].annotation))


def test_the_check_of_the_policy_goes_through_every_sentence():
    """And names no place in the code that is gone."""
    check = (ROOT / "docs" / "policy-check.md").read_text("utf-8")
    listed = [name for line in check.splitlines() for name in re.findall(r"`([a-z-]+)`", line.split(" | ")[0])]
    paths = re.findall(r"`((?:pigi|web|tests)/[\w/.-]+)`", check)

    assert sorted(listed) == sorted(sentence.id for sentence in shipped_policy().sentences)
    assert [path for path in paths if not (ROOT / path).exists()] == []
