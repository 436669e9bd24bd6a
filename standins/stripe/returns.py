"""Money that goes back: refunds, which may fail later, and disputes, which may be won.

Source: Stripe's API reference, "Refunds" and "Disputes", and docs.stripe.com, "Refunds" and "How disputes work".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import merged, new_id, shown
from standins.stripe.errors import invalid

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.parameters import Parameters

_ON_ITS_WAY: Final = ("pending", "succeeded")


def create_refund(account: Account, asked: Parameters, *, pending: bool = False) -> Obj:
    """``POST /v1/refunds`` of a charge, or of the charge of a payment intent."""
    name = asked.get("charge")
    if name is None:
        intent = account.get("payment_intent", asked.get("payment_intent"), "payment_intent", 400)
        name = intent["latest_charge"]
    paid = account.get("charge", name, "charge", 400)
    left = paid["amount_captured"] - paid["amount_refunded"]
    amount = asked.get("amount", left)
    _expect_paid(paid)
    if left <= 0:
        raise invalid(f"Charge {paid['id']} has already been refunded.", "charge_already_refunded", "charge")
    if not 0 < amount <= left:
        raise invalid("Refund amount is greater than unrefunded amount on charge", None, "amount")
    refund = account.add(_refund(account, paid, amount, asked, "pending" if pending else "succeeded"))
    _refunded(account, paid, amount, "charge.refunded")
    account.tell("refund.created", refund)
    return shown(refund)


def _expect_paid(paid: Obj) -> None:
    if not paid["paid"]:
        raise invalid(f"Charge {paid['id']} was not paid.", None, "charge")


def _refunded(account: Account, paid: Obj, amount: int, event: str) -> None:
    returned = paid["amount_refunded"] + amount
    account.change(paid, event, amount_refunded=returned, refunded=returned == paid["amount_captured"])


def _refund(account: Account, paid: Obj, amount: int, asked: Parameters, status: str) -> Obj:
    told: dict[str, Any] = {"id": new_id("re"), "object": "refund", "amount": amount, "charge": paid["id"]}
    facts = {name: paid[name] for name in ("currency", "customer", "payment_intent")} | {"created": account.now()}
    last = {"metadata": merged({}, asked.get("metadata")), "reason": asked.get("reason"), "status": status}
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
