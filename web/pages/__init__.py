"""Pages for people: read only, one module a noun. Every unsafe act goes from a form to the API by script."""

from __future__ import annotations

from web.pages import accounts, billing, generations, jobs, landing, operators, organisations, projects, resources
from web.pages.shell import assets

ROUTES = (
    *assets.ROUTES,
    *landing.ROUTES,
    *accounts.ROUTES,
    *organisations.ROUTES,
    *projects.ROUTES,
    *resources.ROUTES,
    *billing.ROUTES,
    *generations.ROUTES,
    *jobs.ROUTES,
    *operators.ROUTES,
)
