"""Publishing a version of the policy: what comes of a file, from when it counts, and that the same twice is once."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.policy import NOTICE, Change, PolicyError, write_policy
from pigi.domain.recipients import RECIPIENTS
from pigi.jobs.kinds import ANNOUNCE_POLICY
from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import CLI, list_entries
from pigi.operations.policy import Proposal, differences, policy_history, publish_policy, unpublished_changes
from pigi.operations.policy.versions import VERSION, publish_first
from tests.support.people import make_account


def as_file(application, **changed):
    """The file that the API would give, with sentences changed by their ids; a text of None takes one out."""
    current = policy_history(application).current
    data = {
        "effective_at": current.effective_at.isoformat(),
        "version": 1,
        **copy.deepcopy(write_policy(current.policy)),
    }
    for sentence in list(data["sentences"]):
        if sentence["id"] in changed:
            text = changed[sentence["id"]]
            data["sentences"].remove(sentence) if text is None else sentence.update(text=text)
    return data


def a_sentence(application, number=0):
    return list(policy_history(application).current.policy.sentences)[number]


def publish(application, data, **options):
    return publish_policy(application, CLI, Proposal(data), **options)


def reworded(sentence):
    """The same with other signs."""
    return sentence.text.rstrip(".").replace(",", ";") + "!"


def announcements(application):
    with application.control.autocommit() as connection:
        return len(connection.execute(select(JOB.c.id).where(JOB.c.kind == ANNOUNCE_POLICY.name)).all())


def test_the_shipped_text_becomes_version_one_however_many_start_at_once(application):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: publish_first(application), range(8)))
    history = policy_history(application)
    assert [one.number for one in history.versions] == [1]
    first = history.current
    assert (first.change, first.sound, history.coming) == ("first", True, ())
    assert application.settings.public_url in " ".join(one.text for one in first.policy.sentences)
    assert not any("{" in one.text for one in first.policy.sentences)
    assert unpublished_changes(application) == []
    assert publish_policy(application, CLI, Proposal()).published is False


def test_a_change_of_words_counts_at_once_and_tells_nobody(application):
    make_account(application)
    sentence = a_sentence(application)
    done = publish(application, as_file(application, **{sentence.id: reworded(sentence)}))
    history = policy_history(application)
    assert (done.change, done.published, done.people, done.version) == (Change.WORDING, True, 0, 2)
    assert history.current.number == 2
    assert history.versions[1].effective_at > history.versions[0].effective_at
    assert announcements(application) == 0
    entry = list_entries(application, None)[0]
    assert (entry.kind, entry.actor, entry.details) == ("policy.published", CLI, {"version": 2, "change": "wording"})


def test_a_material_change_counts_after_thirty_days_and_asks_for_notices(application):
    make_account(application)
    make_account(application, state="deleting")
    sentence = a_sentence(application, 2)
    data = as_file(application, **{sentence.id: f"{sentence.text} It is shared with advertisers."})
    with pytest.raises(PolicyError, match="effective_at: a material change is announced 30 days ahead"):
        publish(application, data)
    data["effective_at"] = (now() + NOTICE - timedelta(seconds=5)).isoformat()
    said = publish(application, data, dry_run=True)
    assert (said.change, said.people, announcements(application)) == (Change.MATERIAL, 1, 0)
    done = publish(application, data)
    history = policy_history(application)
    assert (done.version, history.current.number, [one.number for one in history.coming]) == (2, 1, [2])
    assert history.newest.effective_at - history.newest.published_at >= NOTICE
    assert announcements(application) == 1
    again = publish(application, data)
    assert (again.published, again.version, announcements(application)) == (False, 2, 1)
    (difference,) = differences(history.current.policy, history.newest.policy)
    assert [text.rstrip() for what, text in difference.pieces if what == "added"] == [". It is shared with advertisers"]
    assert (
        "".join(text for what, text in difference.pieces if what != "removed")
        == f"{sentence.text} It is shared with advertisers."
    )


def test_a_change_of_words_can_be_raised_and_a_material_one_not_lowered(application):
    sentence = a_sentence(application)
    data = as_file(application, **{sentence.id: reworded(sentence)})
    del data["effective_at"]
    raised = publish(application, data, material=True, dry_run=True)
    assert raised.change is Change.MATERIAL
    assert raised.effective_at >= now() + NOTICE - timedelta(minutes=1)
    gone = as_file(application, **{next(one.id for one in policy_history(application).current.policy.sentences
                                        if not one.promises): None})  # fmt: skip
    del gone["effective_at"]
    assert publish(application, gone, material=False, dry_run=True).change is Change.MATERIAL


def test_a_file_needs_no_more_than_ids_texts_and_promises(application):
    data = as_file(application)
    bare = {"sentences": [{name: one[name] for name in ("id", "text", "promises")} for one in data["sentences"]]}
    assert publish(application, bare).published is False
    assert publish(application, {**data, "links": {}, "coming": None}).published is False


def test_nothing_counts_before_what_was_published_before(application):
    sentence = a_sentence(application, 2)
    data = as_file(application, **{sentence.id: f"{sentence.text} It is sold."})
    data["effective_at"] = (now() + timedelta(days=60)).isoformat()
    publish(application, data)
    typo = as_file(application, **{sentence.id: f"{sentence.text} It is sold"})
    with pytest.raises(PolicyError, match="effective_at: version 2 counts from"):
        publish(application, typo)
    del typo["effective_at"]
    assert publish(application, typo).effective_at == policy_history(application).versions[1].effective_at


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "policy.sentences: must be a list"),
        ({"sentences": [3]}, r"sentences\[0\].id: must be text"),
        ({"sentences": [{"id": "a", "text": "A.", "promises": ["P01"]}]}, "promises: no sentence rests on P02"),
        ({"effective_at": "soon"}, "effective_at: must be a day"),
        ({"effective_at": 4}, "effective_at: must be a day"),
        ({"effective_at": "9999-12-31T23:59:59-14:00"}, "effective_at: at most 366 days ahead"),
        ({"sections": [("title", "")]}, "section .*: the text must have 1 to 200"),
        ({"sections": [("title", "A" * 201)]}, "section .*: the text must have 1 to 200"),
        ({"sections": [("title", "A\x1b[31m")]}, "section .*: the text has a sign that cannot be shown"),
    ],
)
def test_what_cannot_be_published_is_refused_by_its_place(application, data, problem):
    if isinstance(data, dict) and "sentences" not in data:
        data = dict(data)
        sentence = a_sentence(application)
        written = as_file(application, **{sentence.id: reworded(sentence)})
        first = written["sections"][0] | dict(data.pop("sections", ()))
        data = {**written, "sections": [first, *written["sections"][1:]]} | data
    with pytest.raises(PolicyError, match=problem):
        publish(application, data)
    assert len(policy_history(application).versions) == 1


def test_what_the_code_does_is_material_whatever_the_text_says(application, monkeypatch):
    policy_history(application)
    other = next(iter(RECIPIENTS.values()))
    gets = other.__class__("Stripe", "everything", other.why, "India", other.keeps)
    monkeypatch.setitem(RECIPIENTS, next(iter(RECIPIENTS)), gets)
    done = publish_policy(application, CLI, Proposal(), dry_run=True)
    assert done.change is Change.MATERIAL
    assert [change.id for change in done.changes] == ["code:recipients:stripe"]


def test_two_that_publish_at_once_make_two_versions_and_one_of_the_same(application):
    sentence = a_sentence(application)
    files = [as_file(application, **{sentence.id: f"{sentence.text[:-1]}{end}"}) for end in ("", "", "!")]
    for one in files:
        del one["effective_at"]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda data: publish(application, data), files))
    with application.control.autocommit() as connection:
        numbers = list(connection.execute(select(VERSION.c.number).order_by(VERSION.c.number)).scalars())
    assert numbers in ([1, 2, 3], [1, 2, 3, 4])
    assert sum(one.published for one in done) == len(numbers) - 1


def test_a_release_with_another_text_says_so_until_somebody_publishes(application):
    sentence = a_sentence(application, 2)
    data = as_file(application, **{sentence.id: "Something that the release before said."})
    with application.control.autocommit() as connection:
        before = {"text": json.dumps(data), "shipped": "of the release before"}
        connection.execute(update(VERSION).values(before))
    assert [change.id for change in unpublished_changes(application)] == [sentence.id]
    publish(application, {**data, "effective_at": None, "sentences": [
        one | ({"text": "Something that whoever runs it says."} if one["id"] == sentence.id else {})
        for one in data["sentences"]
    ]})  # fmt: skip
    assert unpublished_changes(application) == []
