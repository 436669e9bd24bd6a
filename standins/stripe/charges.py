"""Cards and charges. A card of the stand-in behaves as Stripe's test card of the same last digits."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from standins.stripe.account import new_id
from standins.stripe.lists import page

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.parameters import Parameters


@dataclass(frozen=True)
class Card:
    """A test card: what is told of it, and whether it pays the first time and later."""

    last4: str
    brand: str
    title: str
    pays_first: bool
    pays_later: bool
    authenticates: bool = True


CARDS: Final = {
    "good": Card("4242", "visa", "Pays, always", pays_first=True, pays_later=True),
    "declined": Card("0002", "visa", "Is declined", pays_first=False, pays_later=False),
    "attaches_then_fails": Card("0341", "visa", "Pays now, fails at renewals", pays_first=True, pays_later=False),
    "incomplete": Card(
        "3184", "visa", "Wants a confirmation that never comes", pays_first=False, pays_later=False, authenticates=False
    ),
}
"""The cards by name (docs.stripe.com, "Test card numbers", by their last digits)."""


def new_method(account: Account, customer: str, card: str, details: Obj) -> Obj:
    """A card of a customer's, with the billing details that were typed in with it."""
    kind = CARDS[card]
    shown_card = {
        "brand": kind.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": "US",
        "display_brand": kind.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": secrets.token_hex(8),
        "funding": "credit",
        "last4": kind.last4,
    }
    method = {"id": new_id("pm"), "object": "payment_method", "allow_redisplay": "limited", "type": "card"}
    facts = {"created": account.now(), "customer": customer, "livemode": False, "metadata": {}}
    kept = account.add({
        **method, **facts, "billing_details": details, "card": shown_card, "_card": card, "_used": False,
    })  # fmt: skip
    account.tell("payment_method.attached", kept)
    return kept


def charge(account: Account, invoice: Obj, intent: Obj, method: Obj | None, forced: bool | None) -> Obj | None:  # noqa: FBT001 - three values
    """Try to collect an invoice; the charge, paid or failed, or None if it waits for a confirmation.

    ``forced`` decides in place of the card.
    """
    card = CARDS[method["_card"]] if method is not None else CARDS["declined"]
    pays = (card.pays_later if method and method["_used"] else card.pays_first) if forced is None else forced
    if not pays and not card.authenticates and forced is None:
        account.change(intent, "payment_intent.requires_action", status="requires_action")
        return None
    made = account.add(_charge(account, invoice, intent, method, pays))
    intent["latest_charge"] = made["id"]
    account.tell("charge.succeeded" if pays else "charge.failed", made)
    status = "succeeded" if pays else "requires_payment_method"
    intent |= {"status": status, "amount_received": made["amount_captured"]}
    account.tell("payment_intent.succeeded" if pays else "payment_intent.payment_failed", intent)
    if method is not None and pays:
        method["_used"] = True
    return made


def _charge(account: Account, invoice: Obj, intent: Obj, method: Obj | None, pays: bool) -> Obj:  # noqa: FBT001 - a field
    receipt = account.settings["mails_receipts"] and pays
    amount = invoice["amount_remaining"]
    details = method["billing_details"] if method else {"address": None, "email": None, "name": None, "phone": None}
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if pays else 0,
        "amount_refunded": 0,
        "balance_transaction": new_id("txn") if pays else None,
        "billing_details": dict(details),
        "captured": pays,
        "created": account.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription creation" if invoice["billing_reason"].endswith("create") else "Subscription",
        "disputed": False,
        "failure_code": None if pays else "card_declined",
        "failure_message": None if pays else "Your card was declined.",
        "livemode": False,
        "metadata": {},
        "outcome": {"network_status": "approved_by_network" if pays else "declined_by_network", "type": "authorized"},
        "paid": pays,
        "payment_intent": intent["id"],
        "payment_method": method and method["id"],
        "payment_method_details": {"card": dict(method["card"]), "type": "card"} if method else None,
        "receipt_email": invoice["customer_email"],
        "receipt_number": new_receipt() if receipt else None,
        "receipt_url": invoice["hosted_invoice_url"] if pays else None,
        "refunded": False,
        "status": "succeeded" if pays else "failed",
    }


def new_receipt() -> str:
    """A receipt's number."""
    return f"{secrets.randbelow(9000) + 1000}-{secrets.randbelow(9000) + 1000}"


def new_intent(account: Account, invoice: Obj) -> Obj:
    """The intent to collect an invoice."""
    told = {"id": new_id("pi"), "object": "payment_intent", "amount": invoice["amount_due"], "amount_received": 0}
    facts = {"created": account.now(), "currency": invoice["currency"], "customer": invoice["customer"]}
    last: Obj = {"latest_charge": None, "livemode": False, "metadata": {}, "status": "requires_confirmation"}
    intent = account.add({**told, **facts, **last})
    account.tell("payment_intent.created", intent)
    return intent


def list_charges(account: Account, asked: Parameters) -> Obj:
    """``GET /v1/charges``."""
    wanted = {name: asked[name] for name in ("customer", "payment_intent") if name in asked}
    return page(
        account, "/v1/charges", "charge", asked, lambda one: all(one[name] == value for name, value in wanted.items())
    )
