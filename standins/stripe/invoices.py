"""Invoices: drafted, finalized, collected or not, voided. Source: docs.stripe.com, "How invoicing works"."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import new_id, page
from standins.stripe.charges import charge, new_intent
from standins.stripe.requests import RequestError, invalid

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

RETRY_DAYS: Final = (3, 5, 7)
"""How long after each failed try the next one follows; after the last of them Stripe gives up."""
DRAFT_SECONDS: Final = 3600
"""How long a renewal's invoice stays a draft."""
_DAY: Final = 86_400


def draft(account: Account, subscription: Obj, reason: str, lines: list[Obj]) -> Obj:
    """A new draft for a subscription; ``lines`` are from `line`."""
    customer = account.of("customer")[subscription["customer"]]
    total = sum(line["amount"] for line in lines)
    invoice = account.add({
        **_blank(account, subscription, reason),
        **_sums(max(0, total), 0),
        "total": total,
        "subtotal": total,
        "lines": {"object": "list", "has_more": False, "data": lines, "url": ""},
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
    })  # fmt: skip
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    account.tell("invoice.created", invoice)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _blank(account: Account, subscription: Obj, reason: str) -> Obj:
    about = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    moments = dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at"))
    return {
        "id": new_id("in"),
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Stand-in",
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": dict(subscription["automatic_tax"]),
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": account.now(),
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "default_payment_method": None,
        "due_date": None,
        "effective_at": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "parent": {"quote_details": None, "subscription_details": about, "type": "subscription_details"},
        "period_end": account.now(),
        "period_start": account.now(),
        "receipt_number": None,
        "status": "draft",
        "status_transitions": moments,
        "total_taxes": [],
        "_subscription": subscription["id"],
    }


def _sums(due: int, paid: int) -> Obj:
    return {"amount_due": due, "amount_paid": paid, "amount_remaining": due - paid, "amount_overpaid": 0}


def line(subscription: Obj, item: Obj, amount: int, words: str) -> Obj:
    """A line of an invoice about an item of a subscription."""
    price = item["price"]
    details = {"subscription": subscription["id"], "subscription_item": item["id"], "proration": amount < 0}
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": words,
        "livemode": False,
        "metadata": {},
        "parent": {"subscription_item_details": details, "type": "subscription_item_details"},
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "pricing": {"price_details": {"price": price["id"], "product": price["product"]}, "type": "price_details"},
        "quantity": item["quantity"],
    }


def finalize(account: Account, invoice: Obj) -> Obj:
    """Open a draft: number, page and what the customer is called are fixed now."""
    customer = account.of("customer")[invoice["customer"]]
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] += 1
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": account.now(),
        "hosted_invoice_url": f"{account.base}/invoices/{secrets.token_urlsafe(24)}",
        "number": f"{customer['invoice_prefix']}-{number:04}",
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": account.now()},
    }
    if invoice["amount_due"]:
        account.add(_payment(account, invoice, new_intent(account, invoice)))
    account.tell("invoice.finalized", invoice)
    return invoice


def _payment(account: Account, invoice: Obj, intent: Obj) -> Obj:
    told = {"id": new_id("inpay"), "object": "invoice_payment", "amount_paid": None, "livemode": False}
    sums = {"amount_requested": invoice["amount_due"], "created": account.now(), "currency": invoice["currency"]}
    about = {"invoice": invoice["id"], "is_default": True, "status": "open"}
    payment = {"payment_intent": intent["id"], "type": "payment_intent"}
    return {**told, **sums, **about, "payment": payment, "status_transitions": {"canceled_at": None, "paid_at": None}}


def method_of(account: Account, invoice: Obj) -> Obj | None:
    """What an invoice is paid with: the subscription's card, else the customer's."""
    subscription = account.of("subscription")[invoice["_subscription"]]
    customer = account.of("customer")[invoice["customer"]]
    usual = customer["invoice_settings"]["default_payment_method"]
    return account.of("payment_method").get(subscription["default_payment_method"] or usual or "")


def collect(account: Account, invoice: Obj, forced: bool | None = None) -> bool:  # noqa: FBT001 - three values
    """Try to collect an open invoice, by its card or as ``forced`` says; whether it is paid now."""
    if not invoice["amount_remaining"]:
        _paid(account, invoice)
        return True
    payment = next(one for one in account.of("invoice_payment").values() if one["invoice"] == invoice["id"])
    intent = account.of("payment_intent")[payment["payment"]["payment_intent"]]
    made = charge(account, invoice, intent, method_of(account, invoice), forced)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    if made is not None and made["paid"]:
        moments = {"canceled_at": None, "paid_at": account.now()}
        payment |= {"status": "paid", "amount_paid": made["amount"], "status_transitions": moments}
        invoice["receipt_number"] = made["receipt_number"]
        _paid(account, invoice)
        return True
    _unpaid(account, invoice, "invoice.payment_action_required" if made is None else "invoice.payment_failed")
    return False


def _paid(account: Account, invoice: Obj) -> None:
    invoice |= _sums(invoice["amount_due"], invoice["amount_due"])
    invoice |= {"attempted": True, "next_payment_attempt": None, "status": "paid"}
    invoice["status_transitions"]["paid_at"] = account.now()
    if invoice["receipt_number"]:
        mail(account, "receipt", invoice)
    for event in ("invoice.updated", "invoice.paid", "invoice.payment_succeeded"):
        account.tell(event, invoice)


def _unpaid(account: Account, invoice: Obj, event: str) -> None:
    first = invoice["billing_reason"] == "subscription_create"
    tries = invoice["attempt_count"] if account.settings["retries_payments"] and not first else len(RETRY_DAYS) + 1
    again = account.now() + RETRY_DAYS[tries - 1] * _DAY if tries <= len(RETRY_DAYS) else None
    account.change(invoice, "invoice.updated", next_payment_attempt=again)
    account.tell(event, invoice)
    if account.settings["retries_payments"]:
        mail(account, "payment_failed", invoice)


def mail(account: Account, kind: str, invoice: Obj) -> None:
    """Note what Stripe itself would mail to the customer."""
    account.mails.append({
        "type": kind, "customer": invoice["customer"], "invoice": invoice["id"], "at": account.now(),
    })  # fmt: skip


def expect(invoice: Obj, *statuses: str, words: str) -> None:
    """Refuse what can't be done to an invoice of this status."""
    if invoice["status"] not in statuses:
        raise invalid(words, "invoice_not_editable" if "draft" in statuses else None)


def close(account: Account, invoice: Obj, status: str) -> Obj:
    """Make an open invoice ``void`` or ``uncollectible``."""
    event, moment = ("voided", "voided_at") if status == "void" else (f"marked_{status}", f"marked_{status}_at")
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": status}
    invoice["status_transitions"][moment] = account.now()
    account.tell("invoice.updated", invoice)
    account.tell(f"invoice.{event}", invoice)
    return invoice


def delete_draft(account: Account, _params: Parameters, name: str) -> Obj:
    """``DELETE /v1/invoices/{id}``: drafts alone."""
    invoice = account.get("invoice", name)
    expect(invoice, "draft", words="You can only delete draft invoices.")
    account.tell("invoice.deleted", invoice)
    del account.of("invoice")[name]
    return {"id": name, "object": "invoice", "deleted": True}


def list_invoices(account: Account, params: Parameters) -> Obj:
    """``GET /v1/invoices``."""
    names = {"customer": "customer", "status": "status", "subscription": "_subscription"}
    wanted = {names[name]: params[name] for name in names if name in params}
    return page(
        account,
        "/v1/invoices",
        "invoice",
        params,
        lambda one: all(one[name] == value for name, value in wanted.items()),
    )


def list_payments(account: Account, params: Parameters) -> Obj:
    """``GET /v1/invoice_payments``: which payment was for which invoice."""
    payment = params.get("payment", {})
    intent = payment.get("payment_intent")
    if payment and "type" not in payment:
        raise invalid("Missing required param: payment[type].", "parameter_missing", "payment[type]")

    def keep(one: Obj) -> bool:
        fits = all(one[name] == params[name] for name in ("invoice", "status") if name in params)
        return fits and intent in {None, one["payment"]["payment_intent"]}

    return page(account, "/v1/invoice_payments", "invoice_payment", params, keep)


def declined() -> RequestError:
    """The 402 of a card that was declined."""
    more: Any = {"code": "card_declined", "decline_code": "generic_decline"}
    return RequestError(402, "Your card was declined.", "card_error", **more)
