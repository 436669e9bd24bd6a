"""What was bought, when it renews or ends, and its invoices: Stripe's to know, asked when somebody looks.

The answer of the job is sealed like the address of a page at Stripe's, shown for `FRESH`, and gone with the next or
within a day. Pigi's own record stays what it was: customer, status, plan.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from pigi.clock import now
from pigi.domain.access import Action, role_may
from pigi.domain.subscriptions import ONGOING, prevailing
from pigi.ids import new_id
from pigi.ports.billing import Invoice
from pigi.store.billing import BillingLink

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.context import JobContext
    from pigi.ports.billing import BillingProvider

LINK: Any = BillingLink.__table__
PAGE = "subscription"
FRESH = timedelta(minutes=10)
"""How long an answer is shown; after that Stripe is asked again."""
MOST_INVOICES = 12


@dataclass(frozen=True, repr=False)
class Subscribed:
    """The subscription as Stripe said it at ``read_at``.

    Attributes:
        price_id: what was bought.
        renews_at: when it is charged for next; None if it ends instead.
        ends_at: when it ends, after somebody cancelled it.
        invoices: the newest first, at most `MOST_INVOICES`. ``repr`` is off: their addresses open them.
    """

    read_at: datetime
    price_id: str | None
    renews_at: datetime | None
    ends_at: datetime | None
    invoices: tuple[Invoice, ...]


def keep_subscribed(context: JobContext, application: Application, provider: BillingProvider, customer_id: str) -> None:
    """Ask Stripe and keep the answer for whoever looks now; of a customer without a subscription nothing is kept.

    Raises as `BillingProvider`.
    """
    found = prevailing(provider.subscriptions_of(customer_id))
    if found is None or found.status not in ONGOING:
        return
    told = {
        "price_id": next(iter(found.price_ids), None),
        "renews_at": None if found.ends_at else found.period_ends_at,
        "ends_at": found.ends_at,
        "invoices": [asdict(one) for one in provider.invoices_of(customer_id, MOST_INVOICES)],
    }
    row, where = {"id": new_id(), "organisation_id": context.organisation_id, "page": PAGE}, context.organisation_id
    with application.tenants.read(where) as tenant:
        sealed = tenant.sealer.seal(json.dumps(told, default=_text), LINK.name, "url", row["id"])
    with context.control.transaction() as connection:
        connection.execute(delete(LINK).where(LINK.c.organisation_id == where, LINK.c.page == PAGE))
        connection.execute(insert(LINK).values(**row, url=sealed, created_at=now()))


def read_subscribed(application: Application, organisation_id: str) -> Subscribed | None:
    """What the last job was told; None if that was too long ago."""
    fresh = (LINK.c.organisation_id == organisation_id, LINK.c.page == PAGE, LINK.c.created_at > now() - FRESH)
    with application.control.autocommit() as connection:
        row = connection.execute(select(LINK).where(*fresh).order_by(LINK.c.created_at.desc())).first()
    if row is None:
        return None
    with application.tenants.read(organisation_id) as tenant:
        told = json.loads(tenant.sealer.open(row.url, LINK.name, "url", row.id))
    invoices = (Invoice(**{**one, "created_at": _moment(one["created_at"])}) for one in told["invoices"])
    dates = _moment(told["renews_at"]), _moment(told["ends_at"])
    return Subscribed(row.created_at, told["price_id"], *dates, tuple(invoices))


def may_open_invoices(caller: Caller) -> bool:
    """Whether whoever looks is given the invoices too: whoever may pay them is."""
    return caller.role is not None and role_may(caller.role, Action.BILLING_CHANGE)


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _moment(text: str | None) -> Any:
    return None if text is None else datetime.fromisoformat(text)
