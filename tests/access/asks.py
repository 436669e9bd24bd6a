"""How each route is asked well: identifiers that exist, a valid body, and fresh things for whatever uses them up."""

from __future__ import annotations

from base64 import b32decode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update

from pigi.clock import now
from pigi.domain.access import AccountState, Person, Role
from pigi.domain.access import Caller as ActingCaller
from pigi.domain.deletions import DeletionScope
from pigi.domain.privacy_requests import Right
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import MIGRATE_ORGANISATION, OPEN_CHECKOUT
from pigi.operations.access import role_in
from pigi.operations.accounts.sessions import open_session
from pigi.operations.audit import CLI
from pigi.operations.configuration import ResourceAddress, archive_project, archive_resource
from pigi.operations.credentials import ADDRESS, RESET, has_factor
from pigi.operations.deletion import delete_organisation, open_deletion
from pigi.operations.deletion.receipts import issue_receipt
from pigi.operations.exports import Owner, list_exports, request_access
from pigi.operations.privacy_requests import enter_request, make_request
from pigi.operations.promises import attest
from pigi.operations.retention import NewHold, add_hold
from pigi.operations.second_factors import begin_second_factor
from pigi.store.deletions import Deletion
from pigi.store.people import Account
from tests.support.contact import make_ticket
from tests.support.factories import make_organisation
from tests.support.furnished import COLLECTIONS, a_name, renamed
from tests.support.http import BODY
from tests.support.people import (
    PASSWORD,
    an_address,
    code_of,
    hashed,
    join,
    make_account,
    make_account_token,
    make_invitation,
    make_key_row,
    make_member,
    make_registration,
    make_way_back,
)
from web.http.replies import API

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kind import Kind
    from tests.access.callers import Caller
    from tests.support.furnished import Furnished

ATTESTED = "nobody-sells-data"
ANY_REVISION = {"If-Match": "*"}
KEYS_FULL = frozenset({"too_many_keys"})
BILLING_OFF = frozenset({"billing_off"})
FACTOR_ON = frozenset({"second_factor_on"})
FACTOR_OFF = frozenset({"second_factor_off"})
NEW_PASSWORD = "lantern quay 92 heron drift"


@dataclass(frozen=True)
class Ask:
    """One request. ``values`` fill the path's variables, over `usual`; ``also`` are codes that count as allowed.

    Such a code is one that the route gives only after it has let the caller in.
    """

    values: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    also: frozenset[str] = frozenset()


def _plain(_home: Furnished, _caller: Caller) -> Ask:
    return Ask()


# People


def _register(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"name": "Nora New", "email": an_address(), "password": NEW_PASSWORD})


def _confirm(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_registration(home.application)}, {"password": PASSWORD})


def _sign_in(home: Furnished, _caller: Caller) -> Ask:
    address = an_address()
    make_account(home.application, email=address, password_hash=hashed())
    return Ask(body={"email": address, "password": PASSWORD})


_DELETED = (
    update(Account)
    .where(Account.id == bindparam("account"), Account.kind == "person")
    .values(state=AccountState.DELETING)
)


def _of_deleted_account(home: Furnished, caller: Caller) -> Ask:
    """As somebody who deleted their account; operators cannot."""
    with home.application.control.transaction() as connection:
        if caller.account and connection.execute(_DELETED, {"account": caller.account}).rowcount:
            open_deletion(connection, DeletionScope.ACCOUNT, caller.account, "pigi", [])
    return Ask()


def _other_session(home: Furnished, caller: Caller) -> Ask:
    """Another one of the caller's own."""
    with home.application.control.begin() as session:
        return Ask({"session": open_session(session, caller.account or home.owner)[0]})


def _first_code(home: Furnished, caller: Caller) -> Ask:
    """The first code of the caller's device; operators have one that is on."""
    person, code = Person(caller.account or home.member, ""), "000000"
    with suppress(Refused):
        code = code_of(secret=b32decode(begin_second_factor(home.application, person).secret))
    return Ask(body={"code": code}, also=FACTOR_ON)


def _confirmation(home: Furnished, caller: Caller) -> Ask:
    """The password; of operators, who have a second factor, a code besides."""
    with home.application.control.read() as session:
        code = {"code": code_of()} if has_factor(session, caller.account or "") else {}
    return Ask(body={"password": PASSWORD, **code})


def _reset(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_account_token(home.application, RESET)}, {"password": NEW_PASSWORD})


def _confirm_address(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_account_token(home.application, ADDRESS)}, {"password": PASSWORD})


def _undo_address(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_way_back(home.application)}, {})


def _accept_invitation(home: Furnished, _caller: Caller) -> Ask:
    """An invitation of somebody who is not known yet."""
    token = make_invitation(home.application, home.organisation, home.owner)[1]
    return Ask({"token": token}, {"name": "Nora New", "password": NEW_PASSWORD})


def _accept_own_invitation(home: Furnished, caller: Caller) -> Ask:
    """One for the address of whoever is signed in."""
    token = make_invitation(home.application, home.organisation, home.owner, caller.email)[1]
    body = {} if caller.email else {"name": "Nora New", "password": NEW_PASSWORD}
    return Ask({"token": token}, body, also=frozenset({"already_member"}))


# Organisations and access


def _role(home: Furnished, _caller: Caller) -> Ask:
    account = make_member(home.application, home.organisation)
    return Ask({"account": account}, {"role": "admin"})


def _remove(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"account": make_member(home.application, home.organisation)})


def _leave(home: Furnished, caller: Caller) -> Ask:
    return Ask({"account": caller.account or home.member})


def _delete(home: Furnished, caller: Caller) -> Ask:
    """An owner deletes one that can be spared."""
    return Ask({"organisation": _spare(home, caller)} if _owns(home, caller) else {})


def _restore(home: Furnished, caller: Caller) -> Ask:
    """An owner restores one that was deleted."""
    if not _owns(home, caller):
        return Ask(body={})
    spare = _spare(home, caller)
    delete_organisation(home.application, ActingCaller(spare, Role.OWNER, caller.account, confirmed=True))
    return Ask({"organisation": spare}, {})


def _follow_deletion(home: Furnished, caller: Caller) -> Ask:
    """An owner follows the deletion of one."""
    asked = _restore(home, caller)
    return Ask(asked.values)


def _write_ticket(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"kind": "support", "email": an_address(), "message": "How?"}, also=frozenset({"too_many_tries"}))


def _numbered_ticket(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"ticket_number": make_ticket(home.application).number})


def _ticket(body: dict[str, str]) -> Callable[[Furnished, Caller], Ask]:
    return lambda home, _caller: Ask({"ticket": make_ticket(home.application).id}, body)


def _receipt(home: Furnished, _caller: Caller) -> Ask:
    with home.application.control.transaction() as connection:
        deletion_id = open_deletion(connection, DeletionScope.ORGANISATION, new_id(), "pigi", [])
        sealed = (
            update(Deletion).where(Deletion.id == deletion_id).values(sealed_at=now()).returning(Deletion.receipt_id)
        )
        receipt_id = connection.execute(sealed).scalar_one()
        issue_receipt(connection, home.application, deletion_id, {}, [])
    return Ask({"receipt": receipt_id})


def _hold_of(home: Furnished) -> dict[str, Any]:
    review = now().date() + timedelta(days=30)
    return {"organisation_id": home.organisation, "retention": "mail", "reason": "A case.", "review_on": str(review)}


def _propose_hold(home: Furnished, _caller: Caller) -> Ask:
    return Ask(body=_hold_of(home))


def _move_hold(home: Furnished, _caller: Caller) -> Ask:
    """A hold that another operator added."""
    wanted = NewHold(**{**_hold_of(home), "review_on": now().date()})
    return Ask({"hold": add_hold(home.application, f"operator:{new_id()}", wanted)}, {})


def _owns(home: Furnished, caller: Caller) -> bool:
    return bool(caller.account) and role_in(home.application, caller.account, home.organisation) is Role.OWNER


def _spare(home: Furnished, caller: Caller) -> str:
    """An organisation of the caller's own, which no other request is about."""
    spare = make_organisation(home.application.control, home.application.tenants)
    join(home.application, spare, caller.account, Role.OWNER)
    return spare


def _own_role(_home: Furnished, caller: Caller) -> Ask:
    """A member who would be more."""
    return Ask({"account": caller.account} if caller.account else {}, {"role": "owner"})


def _demote_owner(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"account": make_member(home.application, home.organisation, Role.OWNER)}, {"role": "member"})


def _remove_owner(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"account": make_member(home.application, home.organisation, Role.OWNER)})


def _invite(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"email": an_address(), "role": "member"})


def _invite_owner(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"email": an_address(), "role": "owner"})


def _with_invitation(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"invitation": make_invitation(home.application, home.organisation, home.owner)[0]})


def _resend(home: Furnished, caller: Caller) -> Ask:
    return Ask(_with_invitation(home, caller).values, {})


def _issue(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"label": "tests", "scopes": ["configuration:read"]}, also=KEYS_FULL)


def _with_key(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"key": make_key_row(home.application, home.organisation)[0]})


def _rotate(home: Furnished, caller: Caller) -> Ask:
    return Ask(_with_key(home, caller).values, {}, also=KEYS_FULL)


# Money: nobody is charged here, which only somebody who may ask gets to hear


def _buy(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"plan": "team"}, also=BILLING_OFF)


def _manage(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={}, also=BILLING_OFF)


# Configuration


def _make_project(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"name": a_name()})


def _change_project(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"project": home.new_project()}, {"name": a_name()}, headers=ANY_REVISION)


def _move_project(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"project": home.new_project()}, {})


def _make_resource(collection: str) -> Callable[[Furnished, Caller], Ask]:
    return lambda _home, _caller: Ask(body=renamed(COLLECTIONS[collection]))


def _replace_resource(collection: str) -> Callable[[Furnished, Caller], Ask]:
    def ask(home: Furnished, _caller: Caller) -> Ask:
        return Ask({"resource": home.new_resource(collection)}, renamed(COLLECTIONS[collection]), headers=ANY_REVISION)

    return ask


def _move_resource(collection: str) -> Callable[[Furnished, Caller], Ask]:
    return lambda home, _caller: Ask({"resource": home.new_resource(collection)}, {})


def _drop_project(home: Furnished, _caller: Caller) -> Ask:
    project = home.new_project()
    archive_project(home.application, home.caller, project)
    return Ask({"project": project})


def _drop_resource(collection: str) -> Callable[[Furnished, Caller], Ask]:
    def ask(home: Furnished, _caller: Caller) -> Ask:
        resource = home.new_resource(collection)
        place = ResourceAddress(home.project, COLLECTIONS[collection], resource)
        archive_resource(home.application, home.caller, place)
        return Ask({"resource": resource})

    return ask


# Generations and jobs


def _generate(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body=BODY)


def _accept(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"generation": home.new_draft()[0]}, {"project": home.project})


def _discard(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"generation": home.new_draft()[0]}, {})


def _export(_home: Furnished, _caller: Caller) -> Ask:
    """However many are preparing: how often this is asked is not what is asked here."""
    return Ask(body={"scope": "configuration"}, also=frozenset({"too_many_in_flight"}))


def _upload(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"format": "pigi-configuration"}, also=frozenset({"too_many_imports"}))


def _end_import(_home: Furnished, _caller: Caller) -> Ask:
    """Of those who may, the first accepts it; there is nothing in it."""
    return Ask(body={}, also=frozenset({"import_over", "import_under_way"}))


def _start_export(home: Furnished, _caller: Caller) -> Ask:
    body = {"subject": home.organisation, "reason": "They asked by letter."}
    return Ask(body=body, also=frozenset({"too_many_in_flight", "confirmation_required"}))


def _copy(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={})


def _own_export(home: Furnished, caller: Caller) -> Ask:
    """An export of whoever is signed in, which nobody has written yet."""
    account = caller.account or home.owner
    found = list_exports(home.application, Owner(account_id=account))
    export = found[0].id if found else request_access(home.application, account, f"account:{account}").subject_id
    return Ask({"export": str(export)}, also=frozenset({"export_not_ready"}))


def _ask_about_data(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"type": "correction", "detail": "My name is Nora."})


def _own_request(home: Furnished, caller: Caller) -> Ask:
    account = caller.account or home.owner
    return Ask({"request": make_request(home.application, Person(account, ""), Right.CORRECTION)})


def _enter_request(_home: Furnished, _caller: Caller) -> Ask:
    return Ask(body={"type": "erasure", "email": an_address()})


def _entered_request(body: dict[str, Any]) -> Callable[[Furnished, Caller], Ask]:
    return lambda home, _caller: Ask(
        {"request": enter_request(home.application, CLI, Right.ERASURE, an_address())}, body
    )


def _attest(_home: Furnished, _caller: Caller) -> Ask:
    return Ask({"control": ATTESTED}, {"statement": "Nobody does.", "until": str((now() + timedelta(days=9)).date())})


def _attested(home: Furnished, _caller: Caller) -> Ask:
    attest(home.application, CLI, ATTESTED, "Nobody does.", (now() + timedelta(days=9)).date())
    return Ask({"control": ATTESTED}, {})


def _list_jobs(home: Furnished, _caller: Caller) -> Ask:
    return Ask(query={"organisation": home.organisation})


def _cancel(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"job": home.new_job()}, {})


def _retry(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"job": home.new_job()}, {}, also=frozenset({"not_retryable"}))


def _cancel_one(kind: Kind) -> Callable[[Furnished, Caller], Ask]:
    return lambda home, _caller: Ask({"job": home.new_job_of(kind)}, {})


def _retry_one(kind: Kind) -> Callable[[Furnished, Caller], Ask]:
    return lambda home, _caller: Ask({"job": home.new_job_of(kind)}, {}, also=frozenset({"not_retryable"}))


# Pages


def _welcome_page(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_registration(home.application)})


def _reset_page(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_account_token(home.application, RESET)})


def _address_page(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_account_token(home.application, ADDRESS)})


def _invitation_page(home: Furnished, _caller: Caller) -> Ask:
    return Ask({"token": make_invitation(home.application, home.organisation, home.owner)[1]})


_OWN = f"{API}/organisations/<organisation>"
_PROJECT = f"{_OWN}/projects/<project>"
_DRAFT = f"{_OWN}/generations/<generation>"

ASKS: dict[str, Callable[[Furnished, Caller], Ask]] = {
    "GET /readyz": lambda _home, _caller: Ask(also=frozenset({"not_ready"})),
    f"POST {API}/accounts": _register,
    f"POST {API}/registrations/<token>": _confirm,
    f"POST {API}/session": _sign_in,
    f"DELETE {API}/me/sessions/<session>": _other_session,
    f"POST {API}/me/second-factor": lambda _home, _caller: Ask(body={}, also=FACTOR_ON),
    f"POST {API}/me/second-factor/confirm": _first_code,
    f"POST {API}/me/second-factor/recovery-codes": lambda _home, _caller: Ask(body={}, also=FACTOR_OFF),
    f"PATCH {API}/me": lambda _home, _caller: Ask(body={"name": "Nora Newname"}),
    f"POST {API}/me/restore": _of_deleted_account,
    f"DELETE {API}/me": lambda _home, _caller: Ask(body={"password": PASSWORD}),
    f"POST {API}/session/confirmation": _confirmation,
    f"POST {API}/password-resets": lambda _home, _caller: Ask(body={"email": an_address()}),
    f"POST {API}/password-resets/<token>": _reset,
    f"POST {API}/email-changes/<token>": _confirm_address,
    f"POST {API}/email-changes/<token>/undo": _undo_address,
    f"POST {API}/invitations/<token>/accept": _accept_invitation,
    f"POST {API}/invitations/<token>/accept#ones-own": _accept_own_invitation,
    f"POST {API}/organisations": lambda _home, _caller: Ask(body={"name": "Nora's"}),
    f"PATCH {_OWN}": lambda _home, _caller: Ask(body={"name": "Harbour Works"}),
    f"PUT {_OWN}/rules": lambda _home, _caller: Ask(body={"choices": {"runs-hooks": "refuse"}}),
    f"DELETE {_OWN}": _delete,
    f"POST {_OWN}/restore": _restore,
    f"GET {_OWN}/deletion": _follow_deletion,
    f"POST {API}/holds": _propose_hold,
    f"POST {API}/holds/<hold>/approve": _move_hold,
    f"POST {API}/holds/<hold>/release": _move_hold,
    "GET /o/<organisation>/deletion": _follow_deletion,
    f"GET {API}/receipts/<receipt>": _receipt,
    f"PATCH {_OWN}/members/<account>": _role,
    f"PATCH {_OWN}/members/<account>#of-oneself": _own_role,
    f"PATCH {_OWN}/members/<account>#of-an-owner": _demote_owner,
    f"DELETE {_OWN}/members/<account>": _remove,
    f"DELETE {_OWN}/members/<account>#oneself": _leave,
    f"DELETE {_OWN}/members/<account>#an-owner": _remove_owner,
    f"POST {_OWN}/invitations": _invite,
    f"POST {_OWN}/invitations#as-an-owner": _invite_owner,
    f"DELETE {_OWN}/invitations/<invitation>": _with_invitation,
    f"POST {_OWN}/invitations/<invitation>/resend": _resend,
    f"POST {_OWN}/api-keys": _issue,
    f"DELETE {_OWN}/api-keys/<key>": _with_key,
    f"POST {_OWN}/api-keys/<key>/rotate": _rotate,
    f"POST {_OWN}/billing/checkout": _buy,
    f"POST {_OWN}/billing/portal": _manage,
    f"POST {_OWN}/billing/sync": _manage,
    f"POST {_OWN}/projects": _make_project,
    f"PATCH {_PROJECT}": _change_project,
    f"DELETE {_PROJECT}": _drop_project,
    f"POST {_PROJECT}/archive": _move_project,
    f"POST {_PROJECT}/unarchive": _move_project,
    f"POST {_OWN}/generations": _generate,
    f"POST {_DRAFT}/accept": _accept,
    f"POST {_DRAFT}/discard": _discard,
    f"POST {_OWN}/exports": _export,
    f"POST {_OWN}/imports": _upload,
    f"POST {_OWN}/imports/<import_id>/accept": _end_import,
    f"POST {_OWN}/imports/<import_id>/discard": _end_import,
    f"POST {API}/operate/exports": _start_export,
    f"POST {API}/privacy-requests": _ask_about_data,
    f"GET {API}/privacy-requests/<request>": _own_request,
    f"POST {API}/privacy-requests/<request>/withdraw": _own_request,
    f"POST {API}/operate/privacy-requests": _enter_request,
    f"POST {API}/operate/privacy-requests/<request>/extend": _entered_request({"reason": "Many asked at once."}),
    f"POST {API}/operate/privacy-requests/<request>/answer": _entered_request({"answer": "It is done."}),
    f"POST {API}/tickets": _write_ticket,
    f"GET {API}/tickets/<ticket_number>": _numbered_ticket,
    "GET /contact/<ticket_number>": _numbered_ticket,
    f"GET {API}/operate/tickets/<ticket>": _ticket({}),
    f"POST {API}/operate/tickets/<ticket>/answer": _ticket({"answer": "It is mended."}),
    f"POST {API}/operate/tickets/<ticket>/close": _ticket({}),
    f"POST {API}/operate/attestations/<control>": _attest,
    f"POST {API}/operate/attestations/<control>/withdraw": _attested,
    f"POST {API}/operate/jobs/<job>/retry": _retry,
    f"POST {API}/operate/jobs/<job>/cancel": _cancel,
    f"POST {API}/operate/jobs/retry": lambda _home, _caller: Ask(body={}),
    f"POST {API}/operate/jobs/cancel": lambda _home, _caller: Ask(body={"kind": "ai.probe"}),
    f"POST {API}/me/exports": _copy,
    f"GET {API}/me/exports/<export>": _own_export,
    f"GET {API}/me/exports/<export>/file": _own_export,
    f"GET {API}/organisations/<organisation>/search": lambda _home, _caller: Ask(query={"q": "a"}),
    f"GET {API}/jobs": _list_jobs,
    f"POST {API}/jobs/<job>/cancel": _cancel,
    f"POST {API}/jobs/<job>/retry": _retry,
    f"POST {API}/jobs/<job>/cancel#about-money": _cancel_one(OPEN_CHECKOUT),
    f"POST {API}/jobs/<job>/retry#about-money": _retry_one(OPEN_CHECKOUT),
    f"POST {API}/jobs/<job>/cancel#pigis-own-idea": _cancel_one(MIGRATE_ORGANISATION),
    f"POST {API}/jobs/<job>/retry#pigis-own-idea": _retry_one(MIGRATE_ORGANISATION),
    "GET /welcome/<token>": _welcome_page,
    "GET /reset-password/<token>": _reset_page,
    "GET /confirm-address/<token>": _address_page,
    "GET /undo-address/<token>": lambda home, _caller: Ask({"token": make_way_back(home.application)}),
    "GET /invitations/<token>": _invitation_page,
}
for _collection in COLLECTIONS:
    _every = f"{_PROJECT}/{_collection}"
    ASKS[f"POST {_every}"] = _make_resource(_collection)
    ASKS[f"PUT {_every}/<resource>"] = _replace_resource(_collection)
    ASKS[f"DELETE {_every}/<resource>"] = _drop_resource(_collection)
    ASKS[f"POST {_every}/<resource>/archive"] = _move_resource(_collection)
    ASKS[f"POST {_every}/<resource>/unarchive"] = _move_resource(_collection)


def ask_of(name: str) -> Callable[[Furnished, Caller], Ask]:
    """What makes the request of a row; rows without an entry here need nothing but what exists."""
    return ASKS.get(name, _plain)
