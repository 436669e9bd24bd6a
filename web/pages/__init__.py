"""Pages for people: read only, a module a noun. Every unsafe act goes from a form to the API by script."""

from __future__ import annotations

from web.pages import (
    accounts,
    api_keys,
    audit,
    billing,
    deletions,
    exports,
    generations,
    imports,
    invitations,
    jobs,
    landing,
    mails,
    members,
    operators,
    organisations,
    privacy,
    projects,
    promises,
    resources,
    retention,
    sessions,
)
from web.pages.shell import assets

ROUTES = (
    *assets.ROUTES,
    *landing.ROUTES,
    *privacy.ROUTES,
    *promises.ROUTES,
    *sessions.ROUTES,
    *accounts.ROUTES,
    *invitations.ROUTES,
    *organisations.ROUTES,
    *deletions.ROUTES,
    *exports.ROUTES,
    *members.ROUTES,
    *api_keys.ROUTES,
    *audit.ROUTES,
    *mails.ROUTES,
    *projects.ROUTES,
    *resources.ROUTES,
    *billing.ROUTES,
    *generations.ROUTES,
    *imports.ROUTES,
    *jobs.ROUTES,
    *operators.ROUTES,
    *retention.ROUTES,
)
