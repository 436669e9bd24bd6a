"""Pages for people: read only, one module a noun. Every unsafe act goes from a form to the API by script."""

from __future__ import annotations

from web.pages import (
    assets,
    billing,
    generations,
    jobs,
    landing,
    operate,
    organisations,
    people,
    projects,
    resources,
)

ROUTES = (
    *assets.ROUTES,
    *landing.ROUTES,
    *people.ROUTES,
    *organisations.ROUTES,
    *projects.ROUTES,
    *resources.ROUTES,
    *billing.ROUTES,
    *generations.ROUTES,
    *jobs.ROUTES,
    *operate.ROUTES,
)
