"""Who may call: each route declares it, and a path that declares nothing stops `web.app.create_app`.

Who calls is found out here, from an API key or a browser's cookie; what they may is decided by
`pigi.operations.access.authorisation`, before any tenant database is opened (promises P08 and P16).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request

from pigi.domain.access import Action, Key, Person, key_may
from pigi.errors import Misconfigured, Refused
from pigi.ids import is_id
from pigi.operations.access import authorise, organisation_of_job
from pigi.operations.accounts import find_person, is_csrf_token
from pigi.operations.api_keys import authenticate
from web.http.bodies import MOST_BYTES
from web.http.context import FACTS, AccountContext, OrganisationContext, RequestContext
from web.http.cookies import SESSION, XSRF_HEADER
from web.http.replies import Reply
from web.http.routes import RouteKind, Who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from web.http.context import Facts, Services
    from web.http.routes import Route

    View = Callable[..., Reply]

SAFE_METHODS = frozenset({"GET", "HEAD"})
SIGN_IN = "/sign-in"
OF_DELETION = frozenset({Action.ORGANISATION_DELETE, Action.DELETION_READ})

# The scheme's name is case-insensitive, the credentials are a b64token: RFC 9110, section 11.1; RFC 6750, section 2.1.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{1,512}=*) *")


def mount(app: Flask, services: Services, routes: Iterable[Route]) -> None:
    """Give each route to Flask behind its check, then refuse to start if Flask knows any other path."""
    declared = set()
    for route in routes:
        app.add_url_rule(
            route.path,
            route.endpoint,
            _guarded(services, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
        declared.add((route.endpoint, route.path))
    strays = [rule.rule for rule in app.url_map.iter_rules() if (rule.endpoint, rule.rule) not in declared]
    if strays:
        raise Misconfigured([f"{path}: no route says who may call it" for path in strays])


def _guarded(services: Services, route: Route) -> View:
    """The view behind its check. The template, not the path, is what the log line shows."""
    guard = _in_organisation if isinstance(route.who, Action) else _GUARDS[route.who]

    def view(**arguments: Any) -> Reply:
        facts: Facts = request.environ[FACTS]
        facts.route = route.path
        if route.method != "GET":
            # Before a turn is taken: a client decides how long this takes.
            services.bodies.receive(request, route.most_bytes or MOST_BYTES)
        try:
            return guard(services, facts, route, arguments)
        except Refused as refusal:
            if refusal.code == "unauthenticated" and route.kind is RouteKind.PAGE:
                return _to_sign_in()
            raise

    return view


def _for_anyone(services: Services, facts: Facts, route: Route, arguments: dict[str, Any]) -> Reply:
    """Whoever is signed in is known here too, and is then held to the rules for browsers."""
    _refuse_other_sites()
    if SESSION not in request.cookies:
        return route.view(RequestContext(services, facts), **arguments)
    with services.turns:
        try:
            person = _person(services)
        except Refused as refusal:
            if refusal.code != "unauthenticated":
                raise
            person = None
        return route.view(RequestContext(services, facts, person), **arguments)


def _for_person(services: Services, facts: Facts, route: Route, arguments: dict[str, Any]) -> Reply:
    with services.turns:
        return route.view(AccountContext(services, facts, _person(services)), **arguments)


def _for_operator(services: Services, facts: Facts, route: Route, arguments: dict[str, Any]) -> Reply:
    with services.turns:
        person = _person(services)
        if not person.operator:
            raise Refused("not_found")
        return route.view(AccountContext(services, facts, person), **arguments)


def _in_organisation(services: Services, facts: Facts, route: Route, arguments: dict[str, Any]) -> Reply:
    action = route.who
    if not isinstance(action, Action):
        raise TypeError(action)
    with services.turns:
        principal = _principal(services, route)
        organisation_id, action = _organisation(services, principal, action, arguments)
        caller = authorise(services.application, principal, organisation_id, action)
        facts.organisation_id = caller.organisation_id
        person = principal if isinstance(principal, Person) else None
        context = OrganisationContext(services, facts, person, caller=caller, deletion=action in OF_DELETION)
        return route.view(context, **arguments)


_GUARDS = {Who.ANYONE: _for_anyone, Who.PERSON: _for_person, Who.OPERATOR: _for_operator}


def _principal(services: Services, route: Route) -> Person | Key:
    """The key if one is sent, or else whoever is signed in. Pages are for browsers alone."""
    given = request.environ.get("HTTP_AUTHORIZATION")
    if given is None or route.kind is RouteKind.PAGE:
        return _person(services)
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
        return _of_job(services, principal, action, arguments["job"])
    body = request.args.get("organisation", "")
    if is_id(body):
        return body, action
    if isinstance(principal, Key):
        return principal.organisation_id, action
    raise Refused("invalid", errors=[{"parameter": "organisation", "message": "must say which organisation"}])


def _of_job(services: Services, principal: Person | Key, action: Action, job_id: str) -> tuple[str, Action]:
    """Whose job it is. For a key that may read it is not asked: the view looks anyway."""
    if isinstance(principal, Key) and action is Action.JOBS_READ and key_may(principal.scopes, action):
        return principal.organisation_id, action
    return organisation_of_job(services.application, job_id, action)


def _person(services: Services) -> Person:
    """Whoever's cookie this is. Unsafe methods need the session's CSRF token too (P36)."""
    token = request.cookies.get(SESSION, "")
    person = find_person(services.application, token)
    if request.method not in SAFE_METHODS:
        _refuse_other_sites()
        if not is_csrf_token(token, request.headers.get(XSRF_HEADER, "")):
            raise Refused("csrf_refused")
    return person


def _refuse_other_sites() -> None:
    """A form on somebody else's page is refused also where there is no session yet, such as at sign-in.

    Source: the Fetch Metadata Request Headers of the W3C; browsers send it and scripts cannot forge it.
    """
    if request.method not in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
        raise Refused("csrf_refused")


def _to_sign_in() -> Reply:
    there = request.full_path.rstrip("?") if request.method in SAFE_METHODS else "/"
    location = f"{SIGN_IN}?{urlencode({'next': there})}"
    return Reply(status=303, headers={"Location": location, "Cache-Control": "no-store"})
