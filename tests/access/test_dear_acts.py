"""Every route that changes something is a dear act, or it is said why it is none; nobody can add one in silence."""

from __future__ import annotations

from pigi.domain.access import RULES, Action
from pigi.domain.dear_acts import DEAR_ACTS
from tests.support.furnished import COLLECTIONS
from web.app import ROUTES
from web.http.replies import API
from web.http.routes import Who

ONE = f"{API}/organisations/<organisation>"
FACTOR = f"{API}/me/second-factor"
DEAR: dict[str, tuple[str, ...]] = {
    f"POST {ONE}/api-keys": ("key.issued",),
    f"POST {ONE}/api-keys/<key>/rotate": ("key.rotated",),
    f"DELETE {ONE}": ("organisation.deletion_started",),
    f"POST {ONE}/restore": ("organisation.restored",),
    f"DELETE {ONE}/projects/<project>": ("project.deleted",),
    **{f"DELETE {ONE}/projects/<project>/{each}/<resource>": ("resource.deleted",) for each in COLLECTIONS},
    f"PATCH {ONE}": ("organisation.second_factor_optional",),
    f"PUT {ONE}/rules": ("rule.chosen",),
    f"PATCH {ONE}/members/<account>": ("member.role_changed",),
    f"DELETE {ONE}/members/<account>": ("member.removed", "member.left"),
    f"POST {ONE}/invitations": ("invitation.made",),
    f"POST {ONE}/invitations/<invitation>/resend": ("invitation.made",),
    f"POST {API}/invitations/<token>/accept": ("member.joined",),
    f"DELETE {FACTOR}": ("factor.turned_off",),
    f"POST {FACTOR}/recovery-codes": ("factor.recovery_codes_renewed",),
    f"POST {API}/operate/exports": ("operator.export_started",),
    f"PATCH {API}/me": ("account.password_changed", "account.address_changed"),
    f"DELETE {API}/me": ("account.deletion_started",),
    f"POST {API}/me/restore": ("account.restored",),
    f"POST {API}/password-resets/<token>": ("account.password_reset",),
    f"POST {API}/email-changes/<token>": ("account.address_changed",),
    f"POST {API}/email-changes/<token>/undo": ("account.address_undone",),
}
"""What each route may record of `DEAR_ACTS`."""
SOMETIMES = {
    f"PATCH {ONE}",
    f"PUT {ONE}/rules",
    f"PATCH {ONE}/members/<account>",
    f"DELETE {ONE}/members/<account>",
    f"POST {ONE}/invitations",
    f"POST {ONE}/invitations/<invitation>/resend",
    f"POST {API}/invitations/<token>/accept",
}
"""Those that are dear by what is asked of them, so that it is their audit entry that asks for confirmation."""
_LESS = "takes away rights alone, and can be done anew"
_PROOF = "is itself the proof, or asks for it"
_OWN = "is between a person and Pigi, about their own data"
_REGISTER = "keeps a register, which reads and moves nobody's data"
WHY_NOT: dict[str, str] = {
    f"DELETE {ONE}/api-keys/<key>": _LESS,
    f"DELETE {ONE}/invitations/<invitation>": _LESS,
    f"DELETE {API}/session": _LESS,
    f"DELETE {API}/sessions": _LESS,
    f"DELETE {API}/me/sessions": _LESS,
    f"DELETE {API}/me/sessions/<session>": _LESS,
    f"POST {API}/session": _PROOF,
    f"POST {API}/session/confirmation": _PROOF,
    f"POST {API}/accounts": _PROOF,
    f"POST {API}/registrations/<token>": _PROOF,
    f"POST {API}/password-resets": _PROOF,
    f"POST {FACTOR}": "makes the account safer, and asks all the same",
    f"POST {FACTOR}/confirm": "makes the account safer, and asks all the same",
    f"POST {API}/organisations": "is new, and nobody's but its maker's",
    f"POST {ONE}/exports": "reads what the asker can read anyway, as P28 promises; it is logged",
    f"POST {API}/me/exports": _OWN,
    f"POST {API}/privacy-requests": _OWN,
    f"POST {API}/privacy-requests/<request>/withdraw": _OWN,
    f"POST {API}/policy/versions/<int:number>/close-notice": _OWN,
    f"POST {API}/tickets": _OWN,
    f"POST {ONE}/billing/checkout": "leads to Stripe, where nothing is bought without the card's holder",
    f"POST {ONE}/billing/portal": "leads to Stripe, which mails what is changed there; it can be changed back",
    f"POST {ONE}/billing/sync": "reads what Stripe knows",
    f"POST {API}/webhooks/stripe": "is Stripe's, signed",
    f"POST {API}/holds": "waits for another operator",
    f"POST {API}/holds/<hold>/approve": "takes two operators",
    f"POST {API}/holds/<hold>/release": "lets go on what everybody was promised",
    **dict.fromkeys(
        (
            f"POST {API}/operate/attestations/<control>",
            f"POST {API}/operate/attestations/<control>/withdraw",
            f"POST {API}/operate/privacy-requests",
            f"POST {API}/operate/privacy-requests/<request>/extend",
            f"POST {API}/operate/privacy-requests/<request>/answer",
            f"POST {API}/operate/tickets/<ticket>/answer",
            f"POST {API}/operate/tickets/<ticket>/close",
            f"POST {API}/operate/jobs/<job>/retry",
            f"POST {API}/operate/jobs/<job>/cancel",
            f"POST {API}/operate/jobs/retry",
            f"POST {API}/operate/jobs/cancel",
        ),
        _REGISTER,
    ),
}
WORK = {Action.CONFIGURATION_WRITE, Action.GENERATE, Action.IMPORT, Action.JOBS_CHANGE}
"""Daily work, which changes no rights and loses nothing: revisions stay, and what is archived comes back."""


def routes():
    return {f"{route.method} {route.path}": route for route in ROUTES if route.method != "GET"}


def test_of_every_route_that_changes_something_it_is_said_whether_it_is_dear_or_why_not():
    told = {path for path, route in routes().items() if route.who not in WORK}
    assert set(DEAR) | set(WHY_NOT) == told
    assert not set(DEAR) & set(WHY_NOT)


def test_what_every_dear_act_asks_is_asked_by_its_route_or_by_its_entry():
    found = routes()
    for path, kinds in DEAR.items():
        route = found[path]
        asks = [not DEAR_ACTS[kind].unasked for kind in kinds]
        if path in SOMETIMES:
            assert "confirmation_required" in route.problems, path
        else:
            assert route.confirmed == all(asks), path


def test_no_key_can_do_a_dear_act():
    """A key has no session; none of its scopes reaches an action whose acts are dear."""
    reached = [path for path in DEAR if isinstance(who := routes()[path].who, Action) and scopes(who)]
    assert reached == []
    assert not any(route.who is Who.KNOWN for path, route in routes().items() if path in DEAR)


def scopes(action):
    return RULES[action].scopes
