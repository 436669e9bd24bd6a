"""Subscriptions: begun, changed, ended. Source: docs.stripe.com, "How subscriptions work", and the API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from standins.stripe import invoices
from standins.stripe.account import merged, new_id, shown
from standins.stripe.catalogue import period_end

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj

CREATED: Final = "customer.subscription.created"
UPDATED: Final = "customer.subscription.updated"
DELETED: Final = "customer.subscription.deleted"
ENDED: Final = frozenset({"canceled", "incomplete_expired"})
COLLECTED: Final = frozenset({"active", "trialing", "past_due"})
"""The statuses whose invoices Stripe collects by itself."""


def start(account: Account, customer: str, price: Obj, quantity: int, method: Obj, metadata: Obj) -> Obj:  # noqa: PLR0913 - what one is made of
    """A new subscription and its first invoice, which is tried at once; ``active`` if that was paid."""
    subscription = account.add(_blank(account, customer, price, metadata))
    subscription["default_payment_method"] = method["id"]
    item = _item(account, subscription, price, quantity)
    subscription["items"]["data"].append(item)
    account.of("customer")[customer]["currency"] = price["currency"]
    words = f"{quantity} x {title(account, price)}"
    line = invoices.line(subscription, item, price["unit_amount"] * quantity, words)
    invoice = invoices.draft(account, subscription, "subscription_create", [line])
    account.tell(CREATED, subscription)
    invoices.finalize(account, invoice)
    attempt(account, invoice)
    return subscription


def title(account: Account, price: Obj) -> str:
    """What a price is called on an invoice."""
    return f"{account.of('product')[price['product']]['name']} (per {price['recurring']['interval']})"


def _blank(account: Account, customer: str, price: Obj, metadata: Obj) -> Obj:
    now, name = account.now(), new_id("sub")
    return {
        "id": name,
        "object": "subscription",
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_mode": {"type": "classic"},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": price["currency"],
        "customer": customer,
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "ended_at": None,
        "items": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={name}",
        },
        "latest_invoice": None,
        "livemode": False,
        "metadata": merged({}, metadata),
        "pause_collection": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "trial_end": None,
        "trial_start": None,
    }


def _item(account: Account, subscription: Obj, price: Obj, quantity: int) -> Obj:
    begun = subscription["billing_cycle_anchor"]
    told = {"id": new_id("si", 14), "object": "subscription_item", "created": account.now(), "metadata": {}}
    period = {"current_period_start": begun, "current_period_end": period_end(begun, price, begun)}
    about = {"quantity": quantity, "subscription": subscription["id"], "tax_rates": [], "discounts": []}
    return {**told, **period, **about, "price": shown(price)}


def first_item(subscription: Obj) -> Obj:
    """The item that says what was bought, and for which period."""
    found: Obj = subscription["items"]["data"][0]
    return found


def attempt(account: Account, invoice: Obj, forced: bool | None = None) -> bool:  # noqa: FBT001 - three values
    """Try to collect an invoice, and let its subscription's status follow; whether it is paid now."""
    subscription = account.of("subscription")[invoice["_subscription"]]
    if invoices.collect(account, invoice, forced):
        _recover(account, subscription, invoice)
        return True
    if subscription["status"] in COLLECTED:
        account.change(subscription, UPDATED, status="past_due")
    return False


def _recover(account: Account, subscription: Obj, invoice: Obj) -> None:
    """The newest invoice decides; drafts, which nobody was asked to pay, don't count."""
    own = [one for one in account.of("invoice").values() if one["_subscription"] == subscription["id"]]
    newest = next(one for one in reversed(own) if one["status"] != "draft")
    if newest is invoice and subscription["status"] in {"incomplete", "trialing", "past_due", "unpaid"}:
        account.change(subscription, UPDATED, status="active")


def settle(account: Account, invoice: Obj, status: str) -> Obj:
    """Void an invoice or give it up, and let its subscription's status follow."""
    invoices.close(account, invoice, status)
    subscription = account.of("subscription")[invoice["_subscription"]]
    if subscription["status"] == "incomplete":
        expire_incomplete(account, subscription)
    elif subscription["status"] not in ENDED:
        _recover(account, subscription, invoice)
    return invoice


def expire_incomplete(account: Account, subscription: Obj) -> None:
    """What Stripe does 23 hours after a first invoice that nobody paid."""
    account.change(subscription, UPDATED, status="incomplete_expired", ended_at=account.now())
    invoice = account.of("invoice").get(subscription["latest_invoice"] or "")
    if invoice is not None and invoice["status"] == "open":
        invoices.close(account, invoice, "void")


def renew(account: Account, subscription: Obj, *, pay: bool | None = None, draft: bool = False) -> Obj:
    """Begin the next period; its invoice is tried at once, or after an hour as a ``draft``. Returns the invoice."""
    item = first_item(subscription)
    ended = item["current_period_end"]
    anchor = subscription["billing_cycle_anchor"]
    items = shown(subscription["items"])
    period = {"current_period_start": ended, "current_period_end": period_end(anchor, item["price"], ended)}
    items["data"][0] |= period
    account.change(subscription, UPDATED, items=items)
    item = first_item(subscription)
    words = f"{item['quantity']} x {title(account, item['price'])}"
    line = invoices.line(subscription, item, item["price"]["unit_amount"] * item["quantity"], words)
    invoice = invoices.draft(account, subscription, "subscription_cycle", [line])
    if subscription["status"] not in COLLECTED:
        invoice["auto_advance"] = False  # an unpaid subscription's invoices stay drafts until somebody pays
    elif draft:
        invoice["automatically_finalizes_at"] = account.now() + invoices.DRAFT_SECONDS
    else:
        invoices.finalize(account, invoice)
        attempt(account, invoice, pay)
    return invoice


def give_up(account: Account, subscription: Obj, outcome: str | None = None) -> None:
    """Stop retrying: the subscription becomes what the account's settings, or ``outcome``, say."""
    invoice = account.of("invoice").get(subscription["latest_invoice"] or "")
    if invoice is not None and invoice["status"] == "open":
        account.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
    becomes = outcome or account.settings["after_last_retry"]
    if becomes == "canceled":
        end(account, subscription, "payment_failed")
    else:
        account.change(subscription, UPDATED, status=becomes)


def end(account: Account, subscription: Obj, reason: str = "cancellation_requested") -> Obj:
    """End it now. Its open invoices are not collected any more, and stay as they are."""
    now = account.now()
    details = {**subscription["cancellation_details"], "reason": reason}
    subscription |= {"canceled_at": subscription["canceled_at"] or now, "ended_at": now, "status": "canceled"}
    subscription["cancellation_details"] = details
    account.tell(DELETED, subscription)
    for invoice in account.of("invoice").values():
        if invoice["_subscription"] == subscription["id"] and invoice["status"] in {"open", "draft"}:
            invoice |= {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
    return subscription


def cancel_later(account: Account, subscription: Obj, *, cancels: bool) -> Obj:
    """Let it end with its period, or not after all."""
    ends = first_item(subscription)["current_period_end"] if cancels else None
    reason = {**subscription["cancellation_details"], "reason": "cancellation_requested" if cancels else None}
    changes: Obj = {"cancel_at_period_end": cancels, "cancel_at": ends, "cancellation_details": reason}
    return account.change(subscription, UPDATED, **changes, canceled_at=account.now() if cancels else None)
