"""A second factor: what it takes to have one, what lets in with it, and what never does."""

from __future__ import annotations

from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from pigi.domain.access import Action, Role
from pigi.errors import Refused
from pigi.operations.access import AccessGrant, authorise, still_granted
from pigi.operations.accounts import (
    Change,
    change_account,
    confirm_session,
    end_other_sessions,
    end_session,
    find_person,
    list_sessions,
    reset_password,
    sign_in,
)
from pigi.operations.credentials import RESET, matching_step, setup_uri
from pigi.operations.deletion import delete_account
from pigi.operations.organisations import OrganisationChange, change_organisation, end_membership
from pigi.operations.second_factors import (
    begin_second_factor,
    confirm_second_factor,
    end_second_factor,
    read_second_factor,
    renew_recovery_codes,
    reset_second_factor,
)
from pigi.store.people import RecoveryCode, SecondFactor
from tests.support.accounts import acts, cheap_hash, mails_to, make_passwords_cheap, session_count
from tests.support.jobs import register_organisation
from tests.support.people import (
    DEVICE,
    PASSWORD,
    code_of,
    give_factor,
    join,
    make_account,
    make_account_token,
    make_session,
)

ADA, HOME = "ada@example.org", "203.0.113.9"
WRONG = "000000"
NEW = "lantern quay 92 heron drift"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application):
    return make_account(application, email=ADA, password_hash=cheap_hash())


@pytest.fixture
def person(application, ada):
    return find_person(application, make_session(application, ada))


def refusal_of(call, *arguments, **more):
    with pytest.raises(Refused) as refusal:
        call(*arguments, **more)
    return refusal.value.code


def entered(application, code=None, password=PASSWORD):
    return sign_in(application, ADA, password, HOME, code=code)


def device_of(application, person):
    return b32decode(begin_second_factor(application, person).secret)


def turned_on(application, person):
    """The device's secret and the recovery codes of a factor that is on."""
    secret = device_of(application, person)
    return secret, confirm_second_factor(application, person, code_of(secret=secret))


def test_it_counts_from_the_devices_first_code_on_and_ends_the_other_sessions(application, ada, person):
    make_session(application, ada)
    secret = device_of(application, person)
    assert entered(application).token, "what waits for its first code keeps nobody out"
    assert refusal_of(confirm_second_factor, application, person, code_of(5, secret)) == "wrong_code"
    codes = confirm_second_factor(application, person, code_of(secret=secret))
    assert (len(set(codes)), session_count(application, ada)) == (10, 1)
    view = read_second_factor(application, person)
    assert (view.state, view.recovery_codes) == ("on", 10)
    assert refusal_of(entered, application) == "second_factor_needed"
    assert refusal_of(begin_second_factor, application, person) == "second_factor_on"
    assert mails_to(application, ADA) == ["second-factor-on"]
    assert acts(application)[-1][0] == "factor.turned_on"


def test_a_code_lets_in_once_and_drifts_by_one_step(application, ada):
    give_factor(application, ada)
    assert refusal_of(entered, application, WRONG) == "wrong_code"
    assert refusal_of(entered, application, code_of(-2)) == "wrong_code"
    late, current, early = code_of(-1), code_of(), code_of(1)
    assert find_person(application, entered(application, f" {current[:3]} {current[3:]}").token).factor
    for used in (current, late):
        assert refusal_of(entered, application, used) == "wrong_code", "a step that is not after the last one"
    assert entered(application, early).token
    assert refusal_of(entered, application, early) == "wrong_code"


def test_of_many_at_once_with_one_code_one_gets_in(application, ada):
    give_factor(application, ada)
    code = code_of()

    def outcome(_number):
        try:
            return bool(entered(application, code).token)
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(map(str, pool.map(outcome, range(4)))) == ["True", "wrong_code", "wrong_code", "wrong_code"]


def test_the_password_comes_first_and_nothing_is_opened_before_the_code(application, ada):
    give_factor(application, ada)
    assert refusal_of(entered, application, code_of(), NEW) == "wrong_credentials"
    assert refusal_of(entered, application) == "second_factor_needed"
    assert session_count(application, ada) == 0
    assert entered(application, code_of()).token, "a code beside a wrong password was not used up"


def test_wrong_codes_are_throttled_for_all_networks_until_there_is_a_new_password(application, ada, person):
    _secret, codes = turned_on(application, person)
    refused = [
        refusal_of(sign_in, application, ADA, PASSWORD, f"198.51.{number}.1", code=WRONG) for number in range(11)
    ]
    assert refused == ["wrong_code"] * 10 + ["too_many_tries"]
    assert refusal_of(confirm_session, application, person, None, HOME, code=WRONG) == "too_many_tries"
    assert entered(application, codes[0]).token, "recovery codes let the owner in all the same"
    reset_password(application, make_account_token(application, RESET, ada, ADA), NEW, HOME)
    assert refusal_of(entered, application, None, NEW) == "second_factor_needed", "a reset takes nothing off"
    assert refusal_of(entered, application, WRONG, NEW) == "wrong_code"


def test_a_recovery_code_lets_in_once_and_its_owner_is_told(application, person):
    _secret, codes = turned_on(application, person)
    assert entered(application, codes[0].lower().replace("-", " ")).token
    assert refusal_of(entered, application, codes[0]) == "wrong_code"
    assert read_second_factor(application, person).recovery_codes == 9
    assert mails_to(application, ADA)[-1] == "recovery-code-used"
    assert "factor.recovery_code_used" in [kind for kind, _actor, _subject in acts(application)]


def test_new_recovery_codes_end_the_old_ones(application, ada):
    person = find_person(application, make_session(application, ada))
    assert refusal_of(renew_recovery_codes, application, person) == "second_factor_off"
    _secret, old = turned_on(application, person)
    new = renew_recovery_codes(application, person)
    assert refusal_of(entered, application, old[0]) == "wrong_code"
    assert entered(application, new[0]).token


def test_what_is_kept_opens_for_its_account_alone_and_shows_no_code(application, ada, person):
    secret, codes = turned_on(application, person)
    with application.control.read() as session:
        sealed = session.scalar(select(SecondFactor.sealed))
        kept = " ".join(session.scalars(select(RecoveryCode.code_hash)))
    assert secret not in sealed
    assert application.keyring.open("second-factor", ada, sealed) == secret
    assert not any(code.replace("-", "") in kept.upper() for code in codes)
    other = make_account(application)
    with application.control.begin() as session:
        row = session.get(SecondFactor, ada)
        session.add(
            SecondFactor(account_id=other, sealed=sealed, created_at=row.created_at, confirmed_at=row.confirmed_at)
        )
    with pytest.raises(Exception, match="seal_broken"):
        confirm_session(application, find_person(application, make_session(application, other)), None, HOME, code=WRONG)


def test_a_session_is_confirmed_with_a_code_once(application, ada):
    give_factor(application, ada)
    token = make_session(application, ada, confirmed=False)
    person, code = find_person(application, token), code_of()
    assert refusal_of(confirm_session, application, person, None, HOME) == "invalid"
    assert refusal_of(confirm_session, application, person, PASSWORD, HOME) == "second_factor_needed"
    assert refusal_of(confirm_session, application, person, NEW, HOME, code=code) == "wrong_password"
    assert refusal_of(confirm_session, application, person, None, HOME, code=WRONG) == "wrong_code"
    assert refusal_of(confirm_session, application, person, PASSWORD, HOME, code=WRONG) == "wrong_code"
    assert not find_person(application, token).confirmed
    confirm_session(application, person, PASSWORD, HOME, code=code)
    assert find_person(application, token).confirmed
    assert refusal_of(confirm_session, application, person, None, HOME, code=code) == "wrong_code"
    confirm_session(application, find_person(application, token), None, HOME, code=code_of(1))
    bare = find_person(application, make_session(application, make_account(application)))
    assert refusal_of(confirm_session, application, bare, None, HOME, code=code_of(1)) == "wrong_code"


def test_a_stolen_password_and_cookie_change_and_delete_nothing(application, ada):
    give_factor(application, ada)
    token = make_session(application, ada, confirmed=False)
    person = find_person(application, token)
    dear = Change(new_password=NEW, password=PASSWORD)
    assert refusal_of(change_account, application, person, dear, HOME) == "confirmation_required"
    assert refusal_of(delete_account, application, person, PASSWORD, [], HOME) == "confirmation_required"
    assert change_account(application, person, Change(name="Ada L."), HOME).second_factor
    confirm_session(application, person, None, HOME, code=code_of())
    assert change_account(application, find_person(application, token), dear, HOME).second_factor


def test_turned_off_the_password_is_enough_and_a_mail_says_so(application, person):
    _secret, codes = turned_on(application, person)
    end_second_factor(application, person)
    end_second_factor(application, person)
    assert entered(application).token
    assert mails_to(application, ADA) == ["second-factor-on", "second-factor-off"]
    turned_on(application, person)
    assert refusal_of(entered, application, codes[0]) == "wrong_code", "old recovery codes do not come back"


def test_who_lost_the_device_is_let_in_by_an_operator(application, ada, person):
    turned_on(application, person)
    assert refusal_of(reset_second_factor, application, ADA, operator=True) == "not_found"
    assert reset_second_factor(application, ADA, operator=False) == ada
    assert session_count(application, ada) == 0
    assert acts(application)[-1] == ("factor.reset", "operator:cli", f"account:{ada}")
    assert mails_to(application, ADA)[-1] == "second-factor-off"
    assert entered(application).token


def test_an_organisation_lets_in_only_members_with_a_factor_who_may_otherwise_leave(application, control, ada):
    own = register_organisation(control)
    owner = make_account(application, factor=True)
    join(application, own, owner, Role.OWNER)
    join(application, own, ada, Role.ADMIN)
    boss, member = (find_person(application, make_session(application, one)) for one in (owner, ada))
    grant = AccessGrant(own, member.session_id)
    read = authorise(application, boss, own, Action.ORGANISATION_READ)
    bare = authorise(application, member, own, Action.ORGANISATION_CHANGE)
    wanted = OrganisationChange(second_factor=True)
    assert refusal_of(change_organisation, application, bare, wanted) == "forbidden"
    assert still_granted(application, [grant], Action.JOBS_READ) == {grant}
    assert change_organisation(application, read, wanted).second_factor
    assert still_granted(application, [grant], Action.JOBS_READ) == set(), "open streams end"
    for action in set(Action) - {Action.MEMBERSHIP_END}:
        assert refusal_of(authorise, application, member, own, action) in {
            "second_factor_required",
            "forbidden",
            "not_found",
        }
    assert refusal_of(authorise, application, member, own, Action.ORGANISATION_READ) == "second_factor_required"
    assert authorise(application, boss, own, Action.ORGANISATION_READ)
    leaving = authorise(application, member, own, Action.MEMBERSHIP_END)
    assert refusal_of(end_membership, application, leaving, owner) == "second_factor_required"
    end_membership(application, leaving, ada)
    assert refusal_of(authorise, application, member, own, Action.ORGANISATION_READ) == "not_found"


def test_an_owner_without_a_factor_cannot_shut_themselves_out(application, control, ada):
    own = register_organisation(control)
    join(application, own, ada, Role.OWNER)
    member = find_person(application, make_session(application, ada))
    caller = authorise(application, member, own, Action.ORGANISATION_CHANGE)
    wanted = OrganisationChange(name="Other", second_factor=True)
    assert refusal_of(change_organisation, application, caller, wanted) == "second_factor_required"
    changed = change_organisation(application, caller, OrganisationChange(second_factor=False))
    assert (changed.name == "Other", changed.second_factor) == (False, False)


def test_sessions_are_listed_and_ended_one_by_one_and_all_others(application, ada, person):
    other = make_session(application, ada)
    foreign = find_person(application, make_session(application, make_account(application)))
    listed = list_sessions(application, person)
    assert (len(listed), [one.id for one in listed if one.current]) == (2, [person.session_id])
    assert refusal_of(end_session, application, person, foreign.session_id) == "not_found"
    end_session(application, person, find_person(application, other).session_id)
    assert refusal_of(find_person, application, other) == "unauthenticated"
    third = make_session(application, ada)
    end_other_sessions(application, person)
    assert refusal_of(find_person, application, third) == "unauthenticated"
    fourth = make_session(application, ada)
    change_account(application, person, Change(new_password=NEW, password=PASSWORD), HOME)
    assert refusal_of(find_person, application, fourth) == "unauthenticated"
    assert [one.current for one in list_sessions(application, person)] == [True]


def test_codes_are_those_of_rfc_6238():
    """Appendix B, the last six of the eight digits that it gives for SHA-1."""
    secret = b"12345678901234567890"
    for seconds, code in ((1234567890, "005924"), (1111111109, "081804"), (20000000000, "353130")):
        step = seconds // 30
        found = [matching_step(secret, code, (step + late) * 30) for late in (-2, -1, 0, 1, 2)]
        assert found == [None, step, step, step, None]
    assert "issuer=Pigi" in setup_uri(DEVICE, ADA)
