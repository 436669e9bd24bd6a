"""Pages about what is processed and who else gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.recipients import list_recipients
from pigi.privacy.record import SAFEGUARDS, processing_record
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply


def processing_record_page(context: RequestContext) -> Reply:
    """What is processed, why, for how long, who else gets it and where it is."""
    settings = context.application.settings
    recipients = dict.fromkeys(facts for record in processing_record(settings.fonts) for facts in record.recipients)
    return draw(
        context,
        "privacy/record.html",
        activities=processing_record(settings.fonts),
        recipients=recipients,
        safeguards=SAFEGUARDS,
        region=settings.region,
        address=settings.public_url,
        controller=settings.operator,
        contact=settings.privacy_address,
    )


def recipients_page(context: RequestContext) -> Reply:
    """Who is connected to, what they get and why, and how often of late."""
    return draw(context, "privacy/recipients.html", recipients=list_recipients(context.application))


ROUTES = (
    page("/privacy/record", processing_record_page, Who.ANYONE),
    page("/privacy/recipients", recipients_page, Who.ANYONE),
)
