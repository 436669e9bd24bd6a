"""Subscriptions: started, renewed, changed to another price, canceled, ended.

Source: docs.stripe.com, "How subscriptions work" and "Prorations", and the API reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from standins.stripe import invoices
from standins.stripe.account import merged, new_id, page, shown, within
from standins.stripe.catalogue import period_end, usable_price
from standins.stripe.requests import invalid, no_such

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

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
    """Make a subscription active if ``invoice`` is its newest; drafts, which are not due, don't count."""
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


def retry(account: Account, invoice: Obj, *, pay: bool | None = None) -> bool:
    """Try an open invoice again, and give up if that was the last time; whether it is paid now."""
    if attempt(account, invoice, pay):
        return True
    subscription = account.of("subscription")[invoice["_subscription"]]
    if invoice["next_payment_attempt"] is None and subscription["status"] == "past_due":
        give_up(account, subscription)
    return False


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


def change_price(account: Account, subscription: Obj, price: Obj, quantity: int, behaviour: str) -> None:
    """Another price or quantity from now on. A new length of period begins a new one, which is invoiced at once."""
    before = first_item(subscription)
    items = shown(subscription["items"])
    item = items["data"][0]
    item |= {"price": shown(price), "quantity": quantity}
    now = account.now()
    moved = price["recurring"] != before["price"]["recurring"]
    if moved:
        item |= {"current_period_start": now, "current_period_end": period_end(now, price, now)}
    anchor = now if moved else subscription["billing_cycle_anchor"]
    account.change(subscription, UPDATED, items=items, billing_cycle_anchor=anchor)
    if subscription["status"] in COLLECTED and (moved or behaviour == "always_invoice"):
        lines = _prorated(account, subscription, before, whole=moved, credits=behaviour != "none")
        invoice = invoices.draft(account, subscription, "subscription_update", lines)
        invoices.finalize(account, invoice)
        attempt(account, invoice)


def _prorated(account: Account, subscription: Obj, before: Obj, *, whole: bool, credits: bool) -> list[Obj]:  # noqa: A002 - Stripe's word
    item = first_item(subscription)
    length = before["current_period_end"] - before["current_period_start"]
    left = max(0, before["current_period_end"] - account.now()) / length
    unused = round(before["price"]["unit_amount"] * before["quantity"] * left)
    cost = round(item["price"]["unit_amount"] * item["quantity"] * (1 if whole else left))
    lines = [invoices.line(subscription, item, cost, f"{item['quantity']} x {title(account, item['price'])}")]
    if credits and unused:
        lines.append(invoices.line(subscription, before, -unused, "Unused time"))
    return lines


def update_subscription(account: Account, params: Parameters, name: str) -> Obj:
    """``POST /v1/subscriptions/{id}``."""
    subscription = account.get("subscription", name)
    if subscription["status"] in ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    plain = {key: params[key] for key in ("description", "default_payment_method") if key in params}
    if "metadata" in params:
        plain["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        plain["cancellation_details"] = {**subscription["cancellation_details"], **params["cancellation_details"]}
    account.change(subscription, UPDATED, **plain)
    if "items" in params:
        _update_items(account, subscription, params)
    if "cancel_at_period_end" in params:
        cancel_later(account, subscription, cancels=params["cancel_at_period_end"])
    return shown(subscription)


def _update_items(account: Account, subscription: Obj, params: Parameters) -> None:
    item, wanted = first_item(subscription), params["items"][0]
    if len(params["items"]) > 1 or wanted.get("id") is None:
        raise invalid("This stand-in's subscriptions have one item: name it by its id.", None, "items")
    if wanted["id"] != item["id"]:
        raise no_such("subscription_item", wanted["id"], "items[0][id]", 400)
    price = usable_price(account, wanted.get("price", item["price"]["id"]), "items[0][price]")
    quantity = wanted.get("quantity", item["quantity"])
    change_price(account, subscription, price, quantity, params.get("proration_behavior", "create_prorations"))


def cancel_subscription(account: Account, params: Parameters, name: str) -> Obj:
    """``DELETE /v1/subscriptions/{id}``; one that has ended is not found."""
    subscription = account.get("subscription", name)
    if subscription["status"] in ENDED:
        raise no_such("subscription", name)
    details = params.get("cancellation_details", {})
    subscription["cancellation_details"] = {**subscription["cancellation_details"], **details}
    return shown(end(account, subscription))


def list_subscriptions(account: Account, params: Parameters) -> Obj:
    """``GET /v1/subscriptions``; without a status those that were canceled are left out."""
    status = params.get("status")

    def keep(one: Obj) -> bool:
        item = first_item(one)
        fits = params.get("customer") in {None, one["customer"]} and params.get("price") in {None, item["price"]["id"]}
        periods = [within(item[name], params.get(name)) for name in ("current_period_start", "current_period_end")]
        return fits and all(periods) and _has_status(one["status"], status)

    return page(account, "/v1/subscriptions", "subscription", params, keep)


def _has_status(status: str, wanted: str | None) -> bool:
    if wanted in {None, "all"}:
        return wanted == "all" or status != "canceled"
    return status in ENDED if wanted == "ended" else status == wanted
