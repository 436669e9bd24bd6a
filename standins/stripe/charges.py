"""Cards and charges, and money that goes back: refunds, which may fail later, and disputes, which may be won.

A card of the stand-in behaves as Stripe's test card of the same last digits. Source: Stripe's API reference, "Refunds"
and "Disputes", and docs.stripe.com, "Refunds" and "How disputes work".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import merged, new_id, page, shown
from standins.stripe.requests import invalid

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

_ON_ITS_WAY: Final = ("pending", "succeeded")


@dataclass(frozen=True)
class Card:
    """A test card: its public data, and whether it pays the first time and later."""

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


def list_charges(account: Account, params: Parameters) -> Obj:
    """``GET /v1/charges``."""
    wanted = {name: params[name] for name in ("customer", "payment_intent") if name in params}
    return page(
        account, "/v1/charges", "charge", params, lambda one: all(one[name] == value for name, value in wanted.items())
    )


def create_refund(account: Account, params: Parameters, *, pending: bool = False) -> Obj:
    """``POST /v1/refunds`` of a charge, or of the charge of a payment intent."""
    name = params.get("charge")
    if name is None:
        intent = account.get("payment_intent", params.get("payment_intent"), "payment_intent", 400)
        name = intent["latest_charge"]
    paid = account.get("charge", name, "charge", 400)
    left = paid["amount_captured"] - paid["amount_refunded"]
    amount = params.get("amount", left)
    _expect_paid(paid)
    if left <= 0:
        raise invalid(f"Charge {paid['id']} has already been refunded.", "charge_already_refunded", "charge")
    if not 0 < amount <= left:
        raise invalid("Refund amount is greater than unrefunded amount on charge", None, "amount")
    refund = account.add(_refund(account, paid, amount, params, "pending" if pending else "succeeded"))
    _refunded(account, paid, amount, "charge.refunded")
    account.tell("refund.created", refund)
    return shown(refund)


def _expect_paid(paid: Obj) -> None:
    if not paid["paid"]:
        raise invalid(f"Charge {paid['id']} was not paid.", None, "charge")


def _refunded(account: Account, paid: Obj, amount: int, event: str) -> None:
    returned = paid["amount_refunded"] + amount
    account.change(paid, event, amount_refunded=returned, refunded=returned == paid["amount_captured"])


def _refund(account: Account, paid: Obj, amount: int, params: Parameters, status: str) -> Obj:
    told: dict[str, Any] = {"id": new_id("re"), "object": "refund", "amount": amount, "charge": paid["id"]}
    facts = {name: paid[name] for name in ("currency", "customer", "payment_intent")} | {"created": account.now()}
    last = {"metadata": merged({}, params.get("metadata")), "reason": params.get("reason"), "status": status}
    why = {"pending_reason": "processing"} if status == "pending" else {}
    return {**told, **facts, **last, **why, "balance_transaction": new_id("txn"), "receipt_number": None}


def fail_refund(account: Account, name: str) -> Obj:
    """The bank sends a refund back: what it gave is the account's again."""
    refund = account.get("refund", name)
    if refund["status"] not in _ON_ITS_WAY:
        raise invalid(f"Refund {name} is {refund['status']}.", None, "id")
    refund.pop("pending_reason", None)
    changes = {"status": "failed", "failure_reason": "unknown", "failure_balance_transaction": new_id("txn")}
    account.change(refund, "refund.updated", **changes)
    account.tell("refund.failed", refund)
    _refunded(account, account.get("charge", refund["charge"]), -refund["amount"], "charge.updated")
    return shown(refund)


def dispute(account: Account, charge: str, amount: int | None = None) -> Obj:
    """Somebody's bank takes a payment back, or ``amount`` of it."""
    paid = account.get("charge", charge, "charge", 400)
    _expect_paid(paid)
    wanted = paid["amount_captured"] if amount is None else amount
    if paid["disputed"] or not 0 < wanted <= paid["amount_captured"]:
        raise invalid("The charge is disputed already, or was less than that.", None, "charge")
    made = account.add(_dispute(account, paid, wanted))
    account.change(paid, "charge.updated", disputed=True)
    account.tell("charge.dispute.created", made)
    account.change(made, "charge.dispute.funds_withdrawn", balance_transactions=[_moved(account, made, -wanted)])
    return shown(made)


def _dispute(account: Account, paid: Obj, amount: int) -> Obj:
    told = {"id": new_id("du"), "object": "dispute", "amount": amount, "charge": paid["id"], "created": account.now()}
    facts = {name: paid[name] for name in ("currency", "payment_intent")} | {"livemode": False, "metadata": {}}
    due = {"due_by": account.now() + 7 * 86_400, "has_evidence": False, "past_due": False, "submission_count": 0}
    how = {"enhanced_eligibility_types": [], "evidence": {}, "evidence_details": due, "is_charge_refundable": False}
    return {**told, **facts, **how, "balance_transactions": [], "reason": "general", "status": "needs_response"}


def _moved(account: Account, about: Obj, amount: int) -> Obj:
    told = {"id": new_id("txn"), "object": "balance_transaction", "amount": amount, "created": account.now()}
    return {**told, "currency": about["currency"], "source": about["id"], "type": "adjustment"}


def reinstate(account: Account, name: str) -> Obj:
    """A dispute is won: what the bank took comes back."""
    found = account.get("dispute", name)
    if found["status"] != "needs_response":
        raise invalid(f"Dispute {name} is {found['status']}.", None, "id")
    moves = [*found["balance_transactions"], _moved(account, found, found["amount"])]
    account.change(found, "charge.dispute.funds_reinstated", balance_transactions=moves, status="won")
    account.tell("charge.dispute.closed", found)
    return shown(found)
