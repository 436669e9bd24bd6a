"""The policy's text as data: what it takes to be one."""

from __future__ import annotations

import copy

import pytest

from pigi.domain.policy import (
    BLANKS,
    Basis,
    PolicyError,
    fill_in,
    read_flat_policy,
    read_policy,
    refuse_unfit,
    shipped_policy,
    write_policy,
)
from pigi.domain.promises import PROMISES
from pigi.privacy.activities import ACTIVITIES

PURPOSES = [activity.name for activity in ACTIVITIES]
GOOD = {
    "sections": [
        {
            "id": "all",
            "title": "All",
            "sentences": [
                {"id": "every-one", "text": "All of it.", "promises": list(PROMISES), "periods": ["mail"]},
                {"id": "whom-to-ask", "text": "Write to {privacy_address}.", "promises": [], "basis": "contact"},
            ],
        }
    ]
}


def changed(**values):
    data = copy.deepcopy(GOOD)
    data["sections"][0]["sentences"][0].update(values)
    return data


def test_the_shipped_text_is_one_and_names_nothing_that_the_code_does_not_have():
    policy = shipped_policy()
    refuse_unfit(policy, purposes=PURPOSES)
    assert read_flat_policy(write_policy(policy)) == policy
    assert all(policy.resting_on(promise) for promise in PROMISES)
    filled = fill_in(policy, dict.fromkeys(BLANKS, "filled in"))
    assert not any("{" in sentence.text for sentence in filled.sentences)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"id": "whom-to-ask"}, "sentence whom-to-ask: the ID is there twice"),
        ({"id": "No Kebab"}, "sentence No Kebab: an ID is small letters"),
        ({"id": 4}, "sections[0].sentences[0].id: must be text"),
        ({"text": "  "}, "sentence every-one: the text must have"),
        ({"text": "A\x00b"}, "sentence every-one: the text has a sign"),
        ({"promises": "P01"}, "sections[0].sentences[0].promises: must be a list"),
        ({"promises": [*PROMISES, "P40"]}, "sentence every-one: there is no promise P40"),
        ({"promises": list(PROMISES)[1:]}, "promises: no sentence rests on P01"),
        ({"basis": "hope"}, "sections[0].sentences[0].basis: must be one of"),
        ({"recipients": ["nobody"]}, "sentence every-one: recipients has nobody"),
        ({"categories": ["gossip"]}, "sentence every-one: categories has gossip"),
        ({"periods": ["for ever"]}, "sentence every-one: periods has for ever"),
        ({"purposes": ["fun"]}, "sentence every-one: purposes has fun"),
        ({"periods": ["mail", "mail"]}, "sections[0].sentences[0].periods: names something twice"),
    ],
)
def test_what_cannot_be_a_policy_is_refused_by_its_place(values, problem):
    with pytest.raises(PolicyError) as refused:
        read_policy(changed(**values), purposes=PURPOSES)
    assert str(refused.value).startswith(problem)


def test_a_sentence_that_nothing_binds_is_refused():
    data = copy.deepcopy(GOOD)
    data["sections"][0]["sentences"][1]["basis"] = Basis.CONTROL.value
    with pytest.raises(PolicyError, match="whom-to-ask: it names no promise"):
        read_policy(data)


def test_a_blank_that_nobody_fills_in_is_refused():
    policy = read_policy(GOOD)
    assert list(fill_in(policy, {"privacy_address": "a@b.example"}).sentences)[1].text == "Write to a@b.example."
    with pytest.raises(PolicyError, match="whom-to-ask: nobody fills in"):
        fill_in(policy, {})
