"""Money: customers, events, the billing log with its guards, links, prices, reconciliations; deletions.

Revision: 0004
Down revision: 0003
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0004"
down_revision = "0003"

ID = sa.String(36)
CODE = sa.String(40)
STRIPE_ID = sa.String(80)
CURRENCY = sa.String(3)
UNPROCESSED = sa.text("processed_at IS NULL")
DELETED = sa.text("deletion_at IS NOT NULL")

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

ACCOUNT = (
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_billing_account_organisation_id")),
    optional("customer_id", STRIPE_ID),
    required("status", CODE),
    optional("plan", CODE),
    optional("granted", CODE),
    optional("intended_at", Instant()),
    required("tickets", sa.Integer()),
    required("ticket", sa.Integer()),
    optional("read_at", Instant()),
    sa.PrimaryKeyConstraint("organisation_id", name="pk_billing_account"),
    sa.UniqueConstraint("customer_id", name="uq_billing_account_customer_id"),
)

EVENT = (
    required("id", ID),
    required("event_id", STRIPE_ID),
    optional("snapshot_id", STRIPE_ID),
    required("thin", sa.Boolean()),
    required("type", STRIPE_ID),
    optional("customer_id", STRIPE_ID),
    optional("object_id", STRIPE_ID),
    required("created_at", Instant()),
    required("received_at", Instant()),
    optional("processed_at", Instant()),
    optional("outcome", CODE),
    sa.PrimaryKeyConstraint("id", name="pk_billing_event"),
    sa.UniqueConstraint("event_id", name="uq_billing_event_event_id"),
)

LOG = (
    required("event_id", STRIPE_ID),
    required("event_type", STRIPE_ID),
    required("customer_id", STRIPE_ID),
    optional("invoice_id", STRIPE_ID),
    required("amount", sa.BigInteger()),
    required("currency", CURRENCY),
    optional("tax_country", sa.String(2)),
    required("status", CODE),
    required("occurred_at", Instant()),
    required("year_end", sa.Date()),
    sa.PrimaryKeyConstraint("event_id", name="pk_billing_log"),
)

LINK = (
    required("id", ID),
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_billing_link_organisation_id")),
    required("page", CODE),
    optional("price_id", STRIPE_ID),
    optional("url", sa.LargeBinary()),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_billing_link"),
)

PRICE = (
    required("price_id", STRIPE_ID),
    optional("amount", sa.BigInteger()),
    required("currency", CURRENCY),
    required("interval", CODE),
    required("interval_count", sa.Integer()),
    required("active", sa.Boolean()),
    required("read_at", Instant()),
    sa.PrimaryKeyConstraint("price_id", name="pk_billing_price"),
)

RUN = (
    required("id", ID),
    required("began_at", Instant()),
    optional("ended_at", Instant()),
    required("customers", sa.Integer()),
    required("drift", sa.Integer()),
    required("missed", sa.Integer()),
    required("strangers", sa.Integer()),
    required("findings", sa.Text()),
    sa.PrimaryKeyConstraint("id", name="pk_billing_run"),
)

TABLES = {
    "billing_account": ACCOUNT,
    "billing_event": EVENT,
    "billing_log": LOG,
    "billing_link": LINK,
    "billing_price": PRICE,
    "billing_run": RUN,
}

INDEXES = (
    ("ix_billing_event_customer_id", "billing_event", ["customer_id"]),
    ("ix_billing_event_snapshot_id", "billing_event", ["snapshot_id"]),
    ("ix_billing_event_created_at", "billing_event", ["created_at"]),
    ("ix_billing_event_received_at", "billing_event", ["received_at"]),
    ("ix_billing_log_customer_id", "billing_log", ["customer_id"]),
    ("ix_billing_log_year_end", "billing_log", ["year_end"]),
    ("ix_billing_link_organisation_id", "billing_link", ["organisation_id"]),
    ("ix_billing_link_created_at", "billing_link", ["created_at"]),
    ("ix_billing_run_began_at", "billing_run", ["began_at"]),
)

# The law's seven years (P27) are held by the database, so that no statement of a later release can forget them.
GUARDS_ON_SQLITE = (
    """
    CREATE TRIGGER billing_log_keeps BEFORE UPDATE ON billing_log
    BEGIN SELECT RAISE(ABORT, 'the billing log is append-only'); END
    """,
    """
    CREATE TRIGGER billing_log_waits BEFORE DELETE ON billing_log WHEN OLD.year_end >= date('now', '-7 years')
    BEGIN SELECT RAISE(ABORT, 'the billing log is kept for seven years'); END
    """,
    # INSERT OR REPLACE removes a line without asking the trigger above.
    """
    CREATE TRIGGER billing_log_stands BEFORE INSERT ON billing_log
    WHEN EXISTS (SELECT 1 FROM billing_log WHERE event_id = NEW.event_id)
    BEGIN SELECT RAISE(IGNORE); END
    """,
)
GUARDS_ON_POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION billing_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.year_end < ((now() AT TIME ZONE 'UTC')::date - INTERVAL '7 years')::date THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'the billing log is append-only and kept for seven years';
    END $$
    """,
    """
    CREATE TRIGGER billing_log_keeps BEFORE UPDATE OR DELETE ON billing_log
    FOR EACH ROW EXECUTE FUNCTION billing_log_guard()
    """,
    """
    CREATE TRIGGER billing_log_stands BEFORE TRUNCATE ON billing_log
    FOR EACH STATEMENT EXECUTE FUNCTION billing_log_guard()
    """,
)


def upgrade() -> None:
    """Make the tables and the log's guards."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns)
    for index, table, over in INDEXES:
        op.create_index(index, table, over)
    open_events = ("ix_billing_event_open", "billing_event", ["received_at"])
    op.create_index(*open_events, sqlite_where=UNPROCESSED, postgresql_where=UNPROCESSED)
    op.add_column("organisation", optional("deletion_at", Instant()))
    deletions = ("ix_organisation_deletion_at", "organisation", ["deletion_at"])
    op.create_index(*deletions, sqlite_where=DELETED, postgresql_where=DELETED)
    sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in GUARDS_ON_SQLITE if sqlite else GUARDS_ON_POSTGRESQL:
        op.execute(guard)
