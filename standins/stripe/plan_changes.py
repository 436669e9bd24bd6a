"""Changing what a subscription is for, and the calls that change, end and list subscriptions.

Source: docs.stripe.com, "Prorations", and the API reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from standins.stripe import invoices
from standins.stripe.account import merged, shown
from standins.stripe.catalogue import period_end, usable_price
from standins.stripe.errors import invalid, no_such
from standins.stripe.lists import page, within
from standins.stripe.subscriptions import COLLECTED, ENDED, UPDATED, attempt, cancel_later, end, first_item, title

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.parameters import Parameters


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


def update_subscription(account: Account, asked: Parameters, name: str) -> Obj:
    """``POST /v1/subscriptions/{id}``."""
    subscription = account.get("subscription", name)
    if subscription["status"] in ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    plain = {key: asked[key] for key in ("description", "default_payment_method") if key in asked}
    if "metadata" in asked:
        plain["metadata"] = merged(subscription["metadata"], asked["metadata"])
    if "cancellation_details" in asked:
        plain["cancellation_details"] = {**subscription["cancellation_details"], **asked["cancellation_details"]}
    account.change(subscription, UPDATED, **plain)
    if "items" in asked:
        _update_items(account, subscription, asked)
    if "cancel_at_period_end" in asked:
        cancel_later(account, subscription, cancels=asked["cancel_at_period_end"])
    return shown(subscription)


def _update_items(account: Account, subscription: Obj, asked: Parameters) -> None:
    item, wanted = first_item(subscription), asked["items"][0]
    if len(asked["items"]) > 1 or wanted.get("id") is None:
        raise invalid("This stand-in's subscriptions have one item: name it by its id.", None, "items")
    if wanted["id"] != item["id"]:
        raise no_such("subscription_item", wanted["id"], "items[0][id]", 400)
    price = usable_price(account, wanted.get("price", item["price"]["id"]), "items[0][price]")
    quantity = wanted.get("quantity", item["quantity"])
    change_price(account, subscription, price, quantity, asked.get("proration_behavior", "create_prorations"))


def cancel_subscription(account: Account, asked: Parameters, name: str) -> Obj:
    """``DELETE /v1/subscriptions/{id}``; one that has ended is not found."""
    subscription = account.get("subscription", name)
    if subscription["status"] in ENDED:
        raise no_such("subscription", name)
    details = asked.get("cancellation_details", {})
    subscription["cancellation_details"] = {**subscription["cancellation_details"], **details}
    return shown(end(account, subscription))


def list_subscriptions(account: Account, asked: Parameters) -> Obj:
    """``GET /v1/subscriptions``; without a status those that were canceled are left out."""
    status = asked.get("status")

    def keep(one: Obj) -> bool:
        item = first_item(one)
        fits = asked.get("customer") in {None, one["customer"]} and asked.get("price") in {None, item["price"]["id"]}
        periods = [within(item[name], asked.get(name)) for name in ("current_period_start", "current_period_end")]
        return fits and all(periods) and _has_status(one["status"], status)

    return page(account, "/v1/subscriptions", "subscription", asked, keep)


def _has_status(status: str, wanted: str | None) -> bool:
    if wanted in {None, "all"}:
        return wanted == "all" or status != "canceled"
    return status in ENDED if wanted == "ended" else status == wanted
