"""Authentication of requests, and the two cookies of browsers (P05, P35, P36), which live as long as its session.

Who calls is found out here, from an API key or a browser's cookie; what they may is decided by
`pigi.operations.access.authorisation`, before any tenant database is opened (promises P08 and P16).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import g, request

from pigi.domain.access import Action, Key, Person
from pigi.domain.processing import Use, why_stopped
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.access import authorise, is_own_export, organisation_of_job
from pigi.operations.accounts import csrf_token, find_person, is_csrf_token, renew_session, renew_when_due
from pigi.operations.api_keys import authenticate
from web.http.context import AccountContext, KeyContext, OrganisationContext, RequestContext
from web.http.routes import RouteKind, Who

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from pigi.store.sessions import ControlSession
    from web.http.context import RequestFacts, Services
    from web.http.replies import Reply
    from web.http.routes import Route

SESSION = "pigi_session"
XSRF = "XSRF-TOKEN"
XSRF_HEADER = "X-XSRF-TOKEN"
SAFE_METHODS = frozenset({"GET", "HEAD"})
READINGS = frozenset(kind.reading for kind in CATALOGUE.values()) - {Action.JOBS_READ}
"""What kinds of jobs ask of whoever follows them, besides the usual; who requests one may follow it."""
OF_DELETION = frozenset({Action.ORGANISATION_DELETE, Action.DELETION_READ})

# The scheme's name is case-insensitive, the credentials are a b64token: RFC 9110, section 11.1; RFC 6750, section 2.1.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{1,512}=*) *")


def identify(services: Services, facts: RequestFacts, route: Route, arguments: dict[str, Any]) -> RequestContext:
    """Who calls, as the route's view is given it; ``arguments`` are the view's, less the organisation.

    Raises Refused: ``unauthenticated``, ``csrf_refused``, ``forbidden``, or ``not_found`` for what they may not see;
        ``account_deleting`` for whoever deleted their account; ``second_factor_required`` for an operator without one;
        ``confirmation_required`` last of all.
    """
    context = _identified(services, facts, route, arguments)
    person = context.person
    if person is None or route.who is Who.ANYONE:
        return context
    if person.deleting and not route.for_deleted:
        raise Refused("account_deleting")
    if person.operator and not person.factor and not route.without_factor:
        raise Refused("second_factor_required")
    if route.confirmed and not person.confirmed:
        raise Refused("confirmation_required")
    if person.renewal_due:
        g.secret = renew_when_due(services.application, person, request.cookies.get(SESSION, ""))
    return context


def _identified(services: Services, facts: RequestFacts, route: Route, arguments: dict[str, Any]) -> RequestContext:
    if route.signed is not None and (by_link := route.signed(services, facts, arguments)) is not None:
        return by_link
    if isinstance(route.who, Action):
        return _in_organisation(services, facts, route, route.who, arguments)
    if route.who is Who.ANYONE:
        try:
            return RequestContext(services, facts, _person(services, facts))
        except Refused as refusal:
            if refusal.code != "unauthenticated":
                raise
            return RequestContext(services, facts)
    return _outside_organisations(services, facts, route, _principal(services, facts, route))


def _outside_organisations(
    services: Services, facts: RequestFacts, route: Route, principal: Person | Key
) -> AccountContext | KeyContext:
    if route.who is Who.OPERATOR and (isinstance(principal, Key) or not principal.operator):
        raise Refused("not_found")
    if isinstance(principal, Key):
        if route.who is not Who.KNOWN:
            raise Refused("forbidden")
        facts.organisation_id = principal.organisation_id
        return KeyContext(services, facts, key=principal)
    return AccountContext(services, facts, principal)


def _in_organisation(
    services: Services, facts: RequestFacts, route: Route, action: Action, arguments: dict[str, Any]
) -> OrganisationContext | AccountContext:
    principal = _principal(services, facts, route)
    try:
        organisation_id, action = _organisation(services, principal, action, arguments)
    except Refused:
        if isinstance(principal, Person) and _reads_own_export(services, principal, action, arguments):
            return AccountContext(services, facts, principal)
        raise
    caller = authorise(services.application, principal, organisation_id, action)
    facts.organisation_id = caller.organisation_id
    person = principal if isinstance(principal, Person) else None
    reading = action if action in READINGS else None
    deletion = action in OF_DELETION
    return OrganisationContext(services, facts, person, caller=caller, deletion=deletion, reading=reading)


def _reads_own_export(services: Services, person: Person, action: Action, arguments: dict[str, Any]) -> bool:
    """Whether the request is about a job of nobody's but this person's."""
    if action is not Action.JOBS_READ or "job" not in arguments:
        return False
    return is_own_export(services.application, person, arguments["job"])


def _principal(services: Services, facts: RequestFacts, route: Route) -> Person | Key:
    """The key if one is sent, or else whoever is signed in. Pages are for browsers alone."""
    given = request.environ.get("HTTP_AUTHORIZATION")
    if given is None or route.kind is RouteKind.PAGE:
        return _person(services, facts)
    match = _BEARER.fullmatch(given)
    if match is None:
        raise Refused("unauthenticated")
    return authenticate(services.application, match[1])


def _organisation(
    services: Services, principal: Person | Key, action: Action, arguments: dict[str, Any]
) -> tuple[str, Action]:
    """The organisation that the request is about: by its path, its job, its query, or the key's own.

    With it what is asked there, since some jobs ask for more than others.
    """
    if "organisation" in arguments:
        return str(arguments.pop("organisation")), action
    if "job" in arguments:
        return organisation_of_job(services.application, arguments["job"], action)
    body = request.args.get("organisation", "")
    if is_id(body):
        return body, action
    if isinstance(principal, Key):
        return principal.organisation_id, action
    raise Refused("invalid", errors=[{"parameter": "organisation", "message": "must say which organisation"}])


def _person(services: Services, facts: RequestFacts) -> Person:
    """Whoever's cookie this is. Unsafe methods need the session's CSRF token too (P36)."""
    token = request.cookies.get(SESSION, "")
    person = find_person(services.application, token)
    facts.uncounted = why_stopped(person.stops, Use.STATISTICS) is not None
    if request.method not in SAFE_METHODS:
        refuse_other_sites()
        if not is_csrf_token(person, token, request.headers.get(XSRF_HEADER, "")):
            raise Refused("csrf_refused")
    return person


def renewing(context: RequestContext, record: Callable[[ControlSession], None]) -> Callable[[ControlSession], None]:
    """``record``, and in the same transaction another secret for the browser's session, which the answer's cookie has.

    For acts after which the session may do more, or others must not: whoever copied the cookie is left behind.
    """

    def done(session: ControlSession) -> None:
        record(session)
        if context.person is not None:
            # The request may have got one already, since its rights had changed.
            token = g.get("secret") or request.cookies.get(SESSION, "")
            g.uncommitted = renew_session(session, context.person.session_id, token)

    return done


def keep_renewed() -> None:
    """Count the secret of `renewing`, whose transaction was committed."""
    if (token := g.pop("uncommitted", None)) is not None:
        g.secret = token


def with_renewed_cookie(reply: Response, *, secure: bool) -> Response:
    """The reply with the session's new secret, if it got one; the other cookie stays as it is.

    A refusal too: the secret before holds for a moment at most, so whoever is not told of the new one is signed out.
    """
    if (token := g.pop("secret", None)) is not None:
        reply.set_cookie(SESSION, token, httponly=True, secure=secure, samesite="Lax")
    return reply


def refuse_other_sites() -> None:
    """A form on somebody else's page is refused also where there is no session yet, such as at sign-in.

    Source: the Fetch Metadata Request Headers of the W3C; browsers send it and scripts cannot forge it.
    """
    if request.method not in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
        raise Refused("csrf_refused")


def set_session_cookies(reply: Reply, token: str, *, secure: bool) -> Reply:
    """Set both cookies. Scripts may read the second, since they must send it back in a header."""
    reply.set_cookie(SESSION, token, httponly=True, secure=secure, samesite="Lax")
    reply.set_cookie(XSRF, csrf_token(token), secure=secure, samesite="Lax")
    return reply


def delete_session_cookies(reply: Reply, *, secure: bool) -> Reply:
    """Take both cookies away."""
    reply.delete_cookie(SESSION, httponly=True, secure=secure, samesite="Lax")
    reply.delete_cookie(XSRF, secure=secure, samesite="Lax")
    return reply
