"""Tables of the control database about money: as little as Pigi needs (P02), and the log that the law asks for (P27).

Of who pays and how, nothing is here but the provider's customer ID and the subscription's status. See
docs/decisions/0016-what-is-kept-of-billing.md.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Recipient
from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, lawful, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
STRIPE_ID = String(80)
UNPROCESSED = text("processed_at IS NULL")


class BillingAccount(ControlBase):
    """An organisation as a customer. ``plan`` is what it may use, in Pigi's own words; the rest is Stripe's.

    ``tickets`` counts the reads of the customer that were begun, and ``ticket`` is that of the read whose result is
    stored: of two that overlap the one that began later prevails, whichever comes back first.
    """

    __tablename__ = "billing_account"

    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=pseudonym("whose", Retention.ORGANISATION)
    )
    customer_id: Mapped[str | None] = mapped_column(
        STRIPE_ID,
        unique=True,
        info=pseudonym("Stripe's customer ID (P02)", Retention.ORGANISATION, (Recipient.STRIPE,)),
    )
    status: Mapped[str] = mapped_column(
        CODE, default="none", info=technical("Stripe's subscription status (P02)", Retention.ORGANISATION)
    )
    plan: Mapped[str | None] = mapped_column(
        CODE, info=technical("what was bought: which limits apply", Retention.ORGANISATION)
    )
    granted: Mapped[str | None] = mapped_column(
        CODE, info=technical("what an operator gave: which limits apply", Retention.ORGANISATION)
    )
    intended_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("since when a customer may have been made", Retention.ORGANISATION)
    )
    tickets: Mapped[int] = mapped_column(Integer, default=0, info=technical("order of reads", Retention.ORGANISATION))
    ticket: Mapped[int] = mapped_column(Integer, default=0, info=technical("order of reads", Retention.ORGANISATION))
    read_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("when what is stored was read", Retention.ORGANISATION)
    )


class BillingEvent(ControlBase):
    """An event that Stripe told of: which and when, never what it holds. ``object_id`` goes once it is processed."""

    __tablename__ = "billing_event"
    __table_args__ = (
        Index("ix_billing_event_open", "received_at", sqlite_where=UNPROCESSED, postgresql_where=UNPROCESSED),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", Retention.BILLING_EVENT))
    event_id: Mapped[str] = mapped_column(
        STRIPE_ID, unique=True, info=technical("Stripe's ID: each counts once", Retention.BILLING_EVENT)
    )
    snapshot_id: Mapped[str | None] = mapped_column(
        STRIPE_ID, index=True, info=technical("Stripe's ID of the snapshot", Retention.BILLING_EVENT)
    )
    thin: Mapped[bool] = mapped_column(Boolean, info=technical("in which form it came", Retention.BILLING_EVENT))
    type: Mapped[str] = mapped_column(STRIPE_ID, info=technical("what happened", Retention.BILLING_EVENT))
    customer_id: Mapped[str | None] = mapped_column(
        STRIPE_ID, index=True, info=pseudonym("about which customer", Retention.BILLING_EVENT)
    )
    object_id: Mapped[str | None] = mapped_column(
        STRIPE_ID, info=technical("which invoice, until it is processed", Retention.BILLING_EVENT)
    )
    created_at: Mapped[datetime] = mapped_column(
        Instant, index=True, info=technical("when it happened", Retention.BILLING_EVENT)
    )
    received_at: Mapped[datetime] = mapped_column(
        Instant, index=True, info=technical("when it was heard of", Retention.BILLING_EVENT)
    )
    processed_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("outcome", Retention.BILLING_EVENT))
    outcome: Mapped[str | None] = mapped_column(CODE, info=technical("outcome", Retention.BILLING_EVENT))


class BillingLine(ControlBase):
    """A line of the billing log. Append-only: triggers refuse to change one, or to remove one before its time.

    It survives its organisation (P26, P27), so no key refers to one.
    """

    __tablename__ = "billing_log"

    event_id: Mapped[str] = mapped_column(
        STRIPE_ID, primary_key=True, info=lawful("which event", Retention.BILLING_LOG)
    )
    event_type: Mapped[str] = mapped_column(STRIPE_ID, info=lawful("what happened", Retention.BILLING_LOG))
    customer_id: Mapped[str] = mapped_column(
        STRIPE_ID, index=True, info=lawful("Stripe's customer ID", Retention.BILLING_LOG)
    )
    invoice_id: Mapped[str | None] = mapped_column(STRIPE_ID, info=lawful("which invoice", Retention.BILLING_LOG))
    amount: Mapped[int] = mapped_column(
        BigInteger, info=lawful("how much, in the smallest unit", Retention.BILLING_LOG)
    )
    currency: Mapped[str] = mapped_column(String(3), info=lawful("of what", Retention.BILLING_LOG))
    tax_country: Mapped[str | None] = mapped_column(String(2), info=lawful("taxed where", Retention.BILLING_LOG))
    status: Mapped[str] = mapped_column(CODE, info=lawful("paid or not", Retention.BILLING_LOG))
    occurred_at: Mapped[datetime] = mapped_column(Instant, info=lawful("when", Retention.BILLING_LOG))
    year_end: Mapped[date] = mapped_column(
        Date, index=True, info=lawful("the last day of its financial year", Retention.BILLING_LOG)
    )


class BillingLink(ControlBase):
    """A page at Stripe's that somebody requested; ``url`` is sealed with the organisation's key.

    With ``page`` ``subscription`` it is what Stripe said of the subscription when somebody looked, for minutes.
    """

    __tablename__ = "billing_link"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", Retention.BILLING_LINK))
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("whose", Retention.BILLING_LINK)
    )
    page: Mapped[str] = mapped_column(
        CODE, info=technical("checkout, portal or payment-method", Retention.BILLING_LINK)
    )
    price_id: Mapped[str | None] = mapped_column(STRIPE_ID, info=technical("what to buy", Retention.BILLING_LINK))
    url: Mapped[bytes | None] = mapped_column(LargeBinary, info=secret("opens the page", Retention.BILLING_LINK))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.BILLING_LINK))


class BillingPrice(ControlBase):
    """What a price costs, as Stripe last said it, so that the page of plans can."""

    __tablename__ = "billing_price"

    price_id: Mapped[str] = mapped_column(STRIPE_ID, primary_key=True, info=technical("which", Retention.OPERATIONAL))
    amount: Mapped[int | None] = mapped_column(BigInteger, info=technical("how much", Retention.OPERATIONAL))
    currency: Mapped[str] = mapped_column(String(3), info=technical("of what", Retention.OPERATIONAL))
    interval: Mapped[str] = mapped_column(CODE, info=technical("how often", Retention.OPERATIONAL))
    interval_count: Mapped[int] = mapped_column(Integer, info=technical("how often", Retention.OPERATIONAL))
    active: Mapped[bool] = mapped_column(Boolean, info=technical("on offer", Retention.OPERATIONAL))
    read_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.OPERATIONAL))


class BillingRun(ControlBase):
    """A reconciliation: what it looked at and how far Pigi had drifted from Stripe. Counts and codes alone."""

    __tablename__ = "billing_run"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names its job", Retention.BILLING_RUN))
    began_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.BILLING_RUN))
    ended_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("whether whole", Retention.BILLING_RUN))
    customers: Mapped[int] = mapped_column(Integer, default=0, info=technical("looked at", Retention.BILLING_RUN))
    drift: Mapped[int] = mapped_column(Integer, default=0, info=technical("stood otherwise", Retention.BILLING_RUN))
    missed: Mapped[int] = mapped_column(Integer, default=0, info=technical("events unheard of", Retention.BILLING_RUN))
    strangers: Mapped[int] = mapped_column(
        Integer, default=0, info=technical("subscriptions of no organisation", Retention.BILLING_RUN)
    )
    findings: Mapped[str] = mapped_column(Text, default="", info=technical("codes", Retention.BILLING_RUN))
