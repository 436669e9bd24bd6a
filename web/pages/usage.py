"""The page of usage for operators: a plot, and the same in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.usage import LEAST_ORGANISATIONS
from pigi.operations.usage import read_usage
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply

HEIGHT = 100
"""Of the plot, in its own units."""


def usage_page(context: AccountContext) -> Reply:
    """How often features were used, in counts that are about nobody."""
    view = read_usage(context.application)
    most = max(day.total for day in view.days)
    return draw(
        context,
        "operators/usage.html",
        here="",
        days=view.days,
        features=view.features,
        bars=[day.total * HEIGHT / most if most else 0 for day in view.days],
        height=HEIGHT,
        most=most,
        least=LEAST_ORGANISATIONS,
    )


ROUTES = (page("/operate/usage", usage_page, Who.OPERATOR),)
