"""Page of one's second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from markupsafe import Markup

from pigi.operations.accounts import read_account
from pigi.operations.second_factors import FactorState, demanding_organisations, read_second_factor, read_set_up
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply

QR_BORDER = 4
"""Light modules around the code: ISO/IEC 18004 asks for four."""


def second_factor_page(context: AccountContext) -> Reply:
    """Set a second factor up, make recovery codes anew, turn it off; who lacks it is told who asks for it."""
    factor = read_second_factor(context.application, context.account)
    waits = factor.state is FactorState.PENDING and context.account.confirmed
    # Not to whoever finds the browser open later: the secret is what the device will have.
    made = read_set_up(context.application, context.account) if waits else None
    return draw(
        context,
        "second_factors/second-factor.html",
        here="",
        account=read_account(context.application, context.account.account_id),
        factor=factor,
        made=made,
        qr=None if made is None else _qr(made.uri),
        demanding=demanding_organisations(context.application, context.account),
    )


def _qr(uri: str) -> Markup:
    """The code as SVG without a style, which the pages' policy would refuse."""
    drawn = segno.make(uri, error="m", micro=False)
    return Markup(drawn.svg_inline(border=QR_BORDER, light="#fff", omitsize=True, svgclass=None, lineclass=None))  # noqa: S704 - segno writes shapes alone


ROUTES = (page("/account/second-factor", second_factor_page, Who.PERSON, without_factor=True),)
