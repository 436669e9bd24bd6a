"""What becomes due by itself as the account's clock goes on, done in order and at the moments it was due."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from standins.stripe import checkout, invoices, subscriptions
from standins.stripe.subscriptions import first_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from standins.stripe.account import Account, Obj

    Due = tuple[int, Callable[[], object]]

INCOMPLETE_SECONDS: Final = 23 * 3600
"""How long a first invoice can be paid."""
_RENEWED: Final = frozenset({"active", "trialing", "past_due", "unpaid"})


def catch_up(account: Account) -> None:
    """Do all that is due by now, the earliest first: each thing may make others due."""
    now = account.now()
    while True:
        moment, act = min(_due(account), key=lambda due: due[0], default=(now + 1, _nothing))
        if moment > now:
            return
        with account.at(moment):
            act()
        account.save()


def _nothing() -> None:
    pass


def _due(account: Account) -> Iterator[Due]:
    yield from _sessions(account)
    for subscription in account.of("subscription").values():
        yield from _subscription(account, subscription)
    for invoice in account.of("invoice").values():
        yield from _invoice(account, invoice)


def _sessions(account: Account) -> Iterator[Due]:
    for session in account.of("checkout.session").values():
        if session["status"] == "open":
            yield session["expires_at"], partial(checkout.expire, account, session)


def _subscription(account: Account, one: Obj) -> Iterator[Due]:
    if one["status"] == "incomplete":
        yield one["created"] + INCOMPLETE_SECONDS, lambda: subscriptions.expire_incomplete(account, one)
    elif one["status"] in _RENEWED:
        ends = first_item(one)["current_period_end"]
        if one["cancel_at_period_end"]:
            yield ends, lambda: subscriptions.end(account, one)
        else:
            yield ends, lambda: subscriptions.renew(account, one)


def _invoice(account: Account, one: Obj) -> Iterator[Due]:
    if one["status"] == "draft" and one["automatically_finalizes_at"] is not None:
        yield one["automatically_finalizes_at"], lambda: _collect_draft(account, one)
    elif one["status"] == "open" and one["next_payment_attempt"] is not None:
        yield one["next_payment_attempt"], lambda: retry(account, one)


def _collect_draft(account: Account, invoice: Obj) -> None:
    invoices.finalize(account, invoice)
    subscriptions.attempt(account, invoice)


def retry(account: Account, invoice: Obj, *, pay: bool | None = None) -> bool:
    """Try an open invoice again, and give up if that was the last time; whether it is paid now."""
    if subscriptions.attempt(account, invoice, pay):
        return True
    subscription = account.of("subscription")[invoice["_subscription"]]
    if invoice["next_payment_attempt"] is None and subscription["status"] == "past_due":
        subscriptions.give_up(account, subscription)
    return False
