"""The record of processing is public, names nobody, and holds every place of the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.domain.recipients import RECIPIENTS
from pigi.privacy.activities import ACTIVITIES
from pigi.privacy.inventory import inventory

if TYPE_CHECKING:
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


def test_the_record_holds_every_place_with_all_that_article_30_asks(client: Client) -> None:
    response = client.get("/api/v1/record-of-processing")
    record = response.get_json()
    places = {place["name"]: place for activity in record["activities"] for place in activity["places"]}

    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert places.keys() == {place.name for place in inventory()}
    email = places["control.account.email"]
    assert (email["purpose"], email["basis"], email["kept"]) == (
        "signing in and mail",
        "contract",
        "while the account is active",
    )
    assert set(email["recipients"]) == {"mail", "stripe"}
    for activity in record["activities"]:
        needed = ("why", "roles", "bases", "categories", "periods", "places")
        assert [part for part in needed if not activity[part]] == []
    assert record["safeguards"]


def test_the_page_says_it_in_words(client: Client) -> None:
    page = client.get("/privacy/record").get_data(as_text=True)
    for activity in ACTIVITIES:
        assert f'id="{activity.name}"' in page
    for facts in RECIPIENTS.values():
        assert facts.keeps.replace("'", "&#39;") in page
    assert "24 hours from the end of the job, unless accepted" in page
    assert 'href="/policy"' in client.get("/").get_data(as_text=True)
    assert 'href="/privacy/record"' in client.get("/policy").get_data(as_text=True)
