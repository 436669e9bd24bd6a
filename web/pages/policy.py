"""Pages of the policy: the version that counts, all versions with what differs between any two, and for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.promises import PROMISES
from pigi.operations.policy import count_notices, differences, own_policy, policy_history
from web.http.requests import read_query
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from typing import Any

    from pigi.operations.policy import PolicyHistory, PolicyVersionView
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply

NUMBER: dict[str, Any] = {
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    "description": "a version's number",
}
QUERY = {"version": NUMBER, "against": NUMBER}
STATES = {"past": ("Past", ""), "current": ("In effect", "ok"), "coming": ("Coming", "warn")}
CHANGES = {"first": "The first", "wording": "Wording", "material": "Material"}
KINDS = {"added": "New", "removed": "Gone", "changed": "Changed"}


def policy_page(context: RequestContext) -> Reply:
    """The policy that counts now."""
    history = policy_history(context.application)
    return _whole(context, history, history.current)


def policy_version_page(context: RequestContext, number: int) -> Reply:
    """A version of the policy."""
    history = policy_history(context.application)
    return _whole(context, history, history.numbered(number))


def _whole(context: RequestContext, history: PolicyHistory, version: PolicyVersionView) -> Reply:
    return draw(
        context,
        "policy/policy.html",
        version=version,
        state=history.state_of(version),
        current=history.current,
        coming=history.coming,
        promises=PROMISES,
    )


def policy_versions_page(context: RequestContext) -> Reply:
    """All versions, and what differs between two of them."""
    query = read_query(QUERY)
    history = policy_history(context.application)
    newer = history.numbered(int(query.get("version", history.newest.number)))
    older = history.numbered(int(query["against"]) if "against" in query else max(1, newer.number - 1))
    return draw(
        context,
        "policy/versions.html",
        versions=[(one, history.state_of(one)) for one in reversed(history.versions)],
        newer=newer,
        older=older,
        differing=differences(older.policy, newer.policy),
        states=STATES,
        changes=CHANGES,
        kinds=KINDS,
    )


def operate_policy_page(context: AccountContext) -> Reply:
    """How the notices of each material version stand, and whether this release's text is the one that is shown."""
    history = policy_history(context.application)
    own = own_policy(context.application.settings)
    return draw(
        context,
        "operators/policy.html",
        here="",
        history=history,
        notices={one.version: one for one in count_notices(context.application)},
        differing=differences(history.newest.policy, own),
        states=STATES,
        changes=CHANGES,
    )


ROUTES = (
    page("/policy", policy_page, Who.ANYONE),
    page("/policy/versions", policy_versions_page, Who.ANYONE),
    page("/policy/versions/<int:number>", policy_version_page, Who.ANYONE),
    page("/operate/policy", operate_policy_page, Who.OPERATOR),
)
