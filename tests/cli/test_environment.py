from __future__ import annotations

import pytest

from pigi.settings import Settings, problems_of

STRIPE = {"stripe_api_key": "sk_test_x", "stripe_webhook_secret": "whsec_x", "stripe_prices": "price_x=team"}
NAMES = {
    "stripe_api_key": "STRIPE_API_KEY",
    "stripe_webhook_secret": "STRIPE_WEBHOOK_SECRET",
    "stripe_prices": "STRIPE_PRICES",
}


@pytest.mark.parametrize("name", ["HOME", "HOST", "PORT", "MODE", "REGION", "SECRET_KEYS", "PUBLIC_URL"])
def test_variables_that_others_set_do_not_reach_the_settings(monkeypatch, name):
    expected = Settings()
    monkeypatch.setenv(name, "1234")
    assert Settings() == expected


def test_the_home_is_beside_the_program_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings().home == tmp_path / "var"
    monkeypatch.setenv("PIGI_HOME", str(tmp_path / "elsewhere"))
    assert Settings().home == tmp_path / "elsewhere"


@pytest.mark.parametrize("missing", NAMES)
def test_half_of_a_payment_provider_is_refused_by_the_name_of_what_is_missing(missing):
    assert problems_of(Settings()) == problems_of(Settings(**STRIPE)) == []
    (problem,) = problems_of(Settings(**{**STRIPE, missing: ""}))
    assert problem.startswith(f"{NAMES[missing]} must be set too")


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1", "http://api.stripe.com", "https://api.stripe.com.example.org", "https://[oops"]
)
def test_production_pays_at_stripes_own_address_alone(base):
    usual = Settings(mode="production", **STRIPE)
    (problem,) = set(problems_of(usual.model_copy(update={"stripe_api_base": base}))) - set(problems_of(usual))
    assert "STRIPE_API_BASE" in problem
    assert problems_of(usual.model_copy(update={"stripe_api_base": "https://api.stripe.com"})) == problems_of(usual)


@pytest.mark.parametrize(("key", "live"), [("sk_live_x", True), ("rk_live_x", True), ("sk_test_x", False), ("", False)])
def test_a_key_says_whether_money_is_real(key, live):
    assert Settings(stripe_api_key=key).stripe_live is live


WRONG_FORMS = [
    ("stripe_api_key", "pk_live_marker"),
    ("stripe_api_key", "sk_org_live_marker"),
    ("stripe_api_key", "whsec_marker"),
    ("stripe_api_key", "sk_live_marker sk_live_other"),
    ("stripe_api_key", "sk_live_other,pk_live_marker"),
    ("stripe_webhook_secret", "we_marker"),
    ("stripe_webhook_secret", "whsec_new,sk_live_marker"),
    ("stripe_webhook_secret", "whsec_new;whsec_marker"),
]


@pytest.mark.parametrize("base", ["", "https://api.stripe.com"])
@pytest.mark.parametrize(("name", "value"), WRONG_FORMS)
def test_what_stripe_gives_for_something_else_is_refused_and_not_shown(name, value, base):
    (problem,) = problems_of(Settings(**STRIPE | {name: value}, stripe_api_base=base))
    assert problem.startswith(f"{NAMES[name]} must be")
    assert "marker" not in problem


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "sk_test_x", "rk_test_x", "rk_live_x, sk_live_y"])
def test_secret_and_restricted_keys_of_an_account_will_do_and_two_secrets_while_one_is_replaced(key):
    chosen = STRIPE | {"stripe_api_key": key, "stripe_webhook_secret": "whsec_new, whsec_old"}
    assert problems_of(Settings(**chosen)) == []


def test_keys_of_both_modes_at_once_are_refused():
    (problem,) = problems_of(Settings(**STRIPE | {"stripe_api_key": "rk_live_x,rk_test_x"}))
    assert problem == "STRIPE_API_KEY must not mix keys of live mode and of test mode"


def test_a_stand_in_takes_any_key():
    chosen = STRIPE | {"stripe_api_key": "anything", "stripe_webhook_secret": "secret"}
    assert problems_of(Settings(**chosen, stripe_api_base="http://127.0.0.1:1")) == []


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7", "pigi.example", "127.0.0.1.example", "127.1"],  # noqa: S104
)
def test_development_is_shown_to_others_only_by_a_word_of_its_own(host):
    (problem,) = problems_of(Settings(host=host))
    assert problem.startswith("PIGI_HOST is not")
    assert "PIGI_EXPOSE_DEVELOPMENT=1" in problem
    assert problems_of(Settings(host=host, expose_development=True)) == []
    assert "PIGI_HOST" not in " ".join(problems_of(Settings(host=host, mode="production")))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1", "localhost"])
def test_this_machines_own_addresses_need_none(host):
    assert problems_of(Settings(host=host)) == []
