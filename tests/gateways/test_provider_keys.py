"""Two keys of a provider at once: the next is tried when one is refused, and nothing is done twice."""

from __future__ import annotations

import pytest

from pigi.errors import Permanent, PigiError
from pigi.gateways import provider_keys
from pigi.gateways.anthropic_model import AnthropicModel
from pigi.gateways.provider_keys import ProviderKeys
from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_http import CallLimits
from standins.anthropic import faults as anthropic
from standins.anthropic.faults import FaultyAnthropic
from standins.stripe.faults import FaultyStripe, fail
from tests.gateways.anthropic_calls import LIMITS, MARKERS, assert_shows_nothing, draft_request, ignore, nothing

OLD, NEW = MARKERS[0], f"{MARKERS[0]}-new"


class News:
    """What was told of keys."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def refused(self, setting: str, key: str) -> None:
        self.told.append(("refused", setting, key))

    def accepted(self, setting: str, key: str) -> None:
        self.told.append(("accepted", setting, key))


def test_the_model_is_asked_with_the_next_key_when_one_is_refused_and_it_is_remembered_which_one_works() -> None:
    news = News()
    with FaultyAnthropic([anthropic.ok()]) as server:
        model = AnthropicModel(server.url, f"{OLD}, {NEW}", "claude-sonnet-5-5", LIMITS, news=news)

        def asked_with() -> list[str]:
            before = len(server.requests)
            model.write_draft(draft_request(), ignore, nothing)
            return [one.headers["authorization"].removeprefix("Bearer ") for one in server.requests[before:]]

        assert asked_with() == [OLD]
        server.refused = {OLD}
        assert asked_with() == [OLD, NEW]
        assert asked_with() == [NEW]
        server.refused = {NEW}
        assert asked_with() == [NEW, OLD]
        server.refused = {OLD, NEW}
        with pytest.raises(Permanent, match="provider_unavailable") as caught:
            asked_with()
        assert_shows_nothing(caught.value)
        model.close()
    short = [(what, key) for what, setting, key in news.told if setting == "ANTHROPIC_API_KEY"]
    expected = [("accepted", OLD), ("refused", OLD), ("accepted", NEW), ("refused", NEW), ("accepted", OLD)]
    assert short == [*expected, ("refused", OLD), ("refused", NEW)]
    assert MARKERS[0] not in repr(ProviderKeys("ANTHROPIC_API_KEY", OLD))


@pytest.mark.parametrize("status", [400, 429, 500])
def test_another_key_is_not_tried_for_what_is_no_refusal(status: int) -> None:
    with FaultyAnthropic([anthropic.status(status)]) as server:
        model = AnthropicModel(server.url, f"{OLD},{NEW}", "claude-sonnet-5-5", LIMITS)
        with pytest.raises(PigiError):
            model.write_draft(draft_request(), ignore, nothing)
        model.close()
        assert len(server.requests) == 1


def test_stripe_is_asked_with_the_next_key_under_the_same_idempotency_key() -> None:
    news = News()
    with FaultyStripe() as server:
        billing = StripeBilling(server.url, "sk_test_old,sk_test_new", CallLimits(retries=1), news=news)
        server.set_account(refused_keys=["sk_test_old"])
        customer = billing.create_customer("org-1", "key-1")
        assert billing.create_customer("org-1", "key-1") == customer
        assert [one.headers["idempotency-key"] for one in server.requests] == ["key-1"] * 3
        assert len(server.objects("customer")) == 1
        # A right that one key lacks: the next is asked, and the first is not thought to be refused.
        server.set_account(refused_keys=[])
        server.plan("*", "/v1/customers", fail(403))
        billing.create_customer("org-2", "key-2")
        assert len(server.asked("POST", "/v1/customers")) == 5
        billing.close()
    told = [(what, key) for what, _, key in news.told]
    assert told == [("refused", "sk_test_old"), ("accepted", "sk_test_new"), ("accepted", "sk_test_old")]


def test_a_refused_key_is_tried_first_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ProviderKeys("STRIPE_API_KEY", "one,two,one")
    keys.refused("one")
    assert keys.in_turn() == ["two", "one"]
    monkeypatch.setattr(provider_keys, "REMEMBERED_SECONDS", 0.0)
    assert keys.in_turn() == ["one", "two"]
