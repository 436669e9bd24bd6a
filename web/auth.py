"""Who may call: each route declares it, and a path that declares nothing stops `web.app.create_app`.

Another organisation's identifiers answer as if they did not exist, and that is decided here, before any
tenant database is opened (promises P08 and P16).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import request

from pigi.errors import Misconfigured, Refused
from pigi.operations.api_keys import authenticate
from web.call import FACTS, Call, Visit
from web.routes import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from pigi.operations.api_keys import Caller
    from web.call import Facts, Services
    from web.replies import Reply
    from web.routes import Route

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


def _guarded(services: Services, route: Route) -> Callable[..., Reply]:
    """The view behind its check. The template, not the path, is what the log line shows."""
    view, template = route.view, route.path

    def for_anyone(**arguments: Any) -> Reply:
        facts: Facts = request.environ[FACTS]
        facts.route = template
        return view(Visit(services, facts), **arguments)

    def for_key(**arguments: Any) -> Reply:
        facts: Facts = request.environ[FACTS]
        facts.route = template
        with services.turns:
            caller = _caller(services)
            facts.organisation_id = caller.organisation_id
            if arguments.pop("organisation", caller.organisation_id) != caller.organisation_id:
                raise Refused("not_found")
            return view(Call(services, facts, caller), **arguments)

    return for_anyone if route.who is Who.ANYONE else for_key


def _caller(services: Services) -> Caller:
    match = _BEARER.fullmatch(request.environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        raise Refused("unauthenticated")
    return authenticate(services.application, match[1])
