"""Checkout: hosted pages on which a subscription is bought. Source: Stripe's API reference, "Checkout Session"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from standins.stripe.account import merged, new_id, page, shown
from standins.stripe.catalogue import usable_price
from standins.stripe.charges import CARDS, new_method
from standins.stripe.customers import create_customer, whole_address
from standins.stripe.invoices import declined
from standins.stripe.requests import invalid
from standins.stripe.subscriptions import attempt, start

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

DAY: Final = 86_400
_SHORTEST: Final = 1800
_MODE: Final = "This stand-in sells subscriptions alone: mode must be subscription."
_ASKED: Final = ("client_reference_id", "success_url", "cancel_url", "locale", "allow_promotion_codes")
_NESTED: Final = ("automatic_tax", "tax_id_collection", "customer_update", "consent_collection")


@dataclass(frozen=True, repr=False)
class Buyer:
    """What is typed into the pay page; ``card`` is one of `standins.stripe.charges.CARDS`."""

    card: str = "good"
    name: str = "Ada Payer"
    email: str = "payer@example.org"
    country: str = "DE"
    line1: str = "Payer Street 1"
    city: str = "Payertown"
    postal_code: str = "10115"

    @property
    def details(self) -> Obj:
        """The same as billing details."""
        parts = {"country": self.country, "line1": self.line1, "city": self.city, "postal_code": self.postal_code}
        return {"address": whole_address(parts), "email": self.email, "name": self.name, "phone": None}


def create_session(account: Account, params: Parameters) -> Obj:
    """``POST /v1/checkout/sessions``."""
    if params["mode"] != "subscription":
        raise invalid(_MODE, None, "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("This stand-in has hosted pages alone.", None, "ui_mode")
    if "success_url" not in params:
        raise invalid("Missing required param: success_url.", "parameter_missing", "success_url")
    price, quantity = _line(account, params.get("line_items") or [])
    customer = params.get("customer")
    if customer is not None:
        account.get("customer", customer, "customer", 400)
    elif "customer_update" in params:
        raise invalid("`customer_update` can only be used with `customer`.", None, "customer_update")
    session = account.add(_blank(account, params, price, quantity))
    return shown(session)


def _line(account: Account, lines: list[Obj]) -> tuple[Obj, int]:
    if len(lines) != 1:
        raise invalid("This stand-in takes one line item.", None, "line_items")
    if "price" not in lines[0]:
        raise invalid("You must specify either `price` or `price_data`.", "parameter_missing", "line_items[0][price]")
    if lines[0].get("quantity", 0) < 1:
        raise invalid("Quantity is required and must be at least 1.", "parameter_missing", "line_items[0][quantity]")
    return usable_price(account, lines[0]["price"], "line_items[0][price]"), lines[0]["quantity"]


def _blank(account: Account, params: Parameters, price: Obj, quantity: int) -> Obj:
    name, now = new_id("cs_test", 58), account.now()
    expires = params.get("expires_at", now + DAY)
    if not now + _SHORTEST <= expires <= now + DAY:
        raise invalid("The `expires_at` timestamp must be 30 minutes to 24 hours from now.", None, "expires_at")
    amount = price["unit_amount"] * quantity
    return {
        "id": name,
        "object": "checkout.session",
        **{key: params.get(key) for key in (*_ASKED, *_NESTED)},
        "automatic_tax": {"enabled": False, "liability": None, "status": None, **params.get("automatic_tax", {})},
        "amount_subtotal": amount,
        "amount_total": amount,
        "billing_address_collection": params.get("billing_address_collection"),
        "created": now,
        "currency": price["currency"],
        "customer": params.get("customer"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": expires,
        "invoice": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "mode": "subscription",
        "payment_intent": None,
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "subscription": None,
        "ui_mode": "hosted_page",
        "url": f"{account.base}/pay/{name}",
        "_price": price["id"],
        "_quantity": quantity,
        "_metadata": params.get("subscription_data", {}).get("metadata", {}),
        "_subscription": None,
        "_line_items": {"object": "list", "has_more": False, "data": [_item(price, quantity)], "url": ""},
    }


def _item(price: Obj, quantity: int) -> Obj:
    amount = price["unit_amount"] * quantity
    told = {"id": new_id("li", 14), "object": "item", "amount_subtotal": amount, "amount_total": amount}
    return {**told, "currency": price["currency"], "price": shown(price), "quantity": quantity}


def expire_session(account: Account, _params: Parameters, name: str) -> Obj:
    """``POST /v1/checkout/sessions/{id}/expire``."""
    session = account.get("checkout.session", name)
    if session["status"] != "open":
        raise invalid(f'Only Checkout Sessions with a status in ["open"] can be expired. {name} is not.')
    return shown(expire(account, session))


def expire(account: Account, session: Obj) -> Obj:
    """Close a session that nobody paid."""
    session |= {"status": "expired", "url": None}
    account.tell("checkout.session.expired", session)
    return session


def list_sessions(account: Account, params: Parameters) -> Obj:
    """``GET /v1/checkout/sessions``."""
    wanted = {name: params[name] for name in ("customer", "status", "subscription") if name in params}

    def keep(one: Obj) -> bool:
        return all(one[name] == value for name, value in wanted.items())

    return page(account, "/v1/checkout/sessions", "checkout.session", params, keep)


def pay(account: Account, name: str, buyer: Buyer) -> Obj:
    """What the pay page does; the session, which is still open if the card wants a confirmation that never comes.

    Raises `RequestError`: 402 for a declined card, of which nothing stays; 400 for a session that is not open.
    """
    session = account.get("checkout.session", name)
    if session["status"] != "open":
        raise invalid("This page can't be paid any more.")
    if buyer.card not in CARDS:
        raise invalid("There is no such test card.", None, "card")
    if buyer.card == "declined":
        raise declined()
    customer = _customer(account, session, buyer)
    method = new_method(account, customer["id"], buyer.card, buyer.details)
    subscription = _subscribe(account, session, customer["id"], method)
    if subscription["status"] == "active":
        _complete(account, session, subscription, buyer)
    return session


def _customer(account: Account, session: Obj, buyer: Buyer) -> Obj:
    """The customer who pays, updated from the page: address and name only where ``customer_update`` allows it."""
    if session["customer"] is None:
        made = _new_customer(account, buyer)
        session["customer"] = made["id"]
        return made
    customer = account.get("customer", session["customer"], "customer", 400)
    writes = session["customer_update"] or {}
    changes: Obj = {} if customer["email"] else {"email": buyer.email}
    if writes.get("address") == "auto":
        changes["address"] = buyer.details["address"]
    if writes.get("name") == "auto":
        changes["name"] = buyer.name
    return account.change(customer, "customer.updated", **changes)


def _new_customer(account: Account, buyer: Buyer) -> Obj:
    told = create_customer(account, {"name": buyer.name, "email": buyer.email, "address": buyer.details["address"]})
    return account.of("customer")[told["id"]]


def _subscribe(account: Account, session: Obj, customer: str, method: Obj) -> Obj:
    """A first try makes the subscription; another one pays the invoice of the one that is incomplete."""
    begun = account.of("subscription").get(session["_subscription"] or "")
    if begun is not None and begun["status"] == "incomplete":
        begun["default_payment_method"] = method["id"]
        attempt(account, account.of("invoice")[begun["latest_invoice"]])
        return begun
    price = account.of("price")[session["_price"]]
    made = start(account, customer, price, session["_quantity"], method, session["_metadata"])
    session["_subscription"] = made["id"]
    return made


def _complete(account: Account, session: Obj, subscription: Obj, buyer: Buyer) -> None:
    details = {**buyer.details, "tax_exempt": "none", "tax_ids": []}
    about = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"], "customer_details": details}
    session |= {**about, "payment_status": "paid", "status": "complete", "url": None}
    account.tell("checkout.session.completed", session)
