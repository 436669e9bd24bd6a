"""Controls for what happens at Stripe without a call of the API: time passes, cards fail, people use the portal.

The same over HTTP is in `standins.stripe.site`.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from standins.stripe import charges, checkout, invoices, portal, subscriptions
from standins.stripe.account import SETTINGS, shown
from standins.stripe.api import catch_up, check_rights
from standins.stripe.catalogue import usable_price
from standins.stripe.charges import new_method
from standins.stripe.checkout import Buyer
from standins.stripe.events import body_of, sign
from standins.stripe.requests import invalid
from standins.stripe.subscriptions import retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standins.stripe.account import Account, Obj
    from standins.stripe.events import Deliveries
    from standins.stripe.handler import Faults

_LONGEST: Final = 100 * 366 * 86_400


class Controls:
    """Methods of the server. Objects that they return are copies as the API shows them."""

    account: Account
    deliveries: Deliveries
    destination: str
    faults: Faults

    @contextmanager
    def acting(self) -> Iterator[Account]:
        """The account, up to date, to be changed; what was changed is kept."""
        with self.account.lock:
            catch_up(self.account)
            try:
                yield self.account
                catch_up(self.account)
            finally:
                self.account.save()

    def advance(self, by: timedelta | float) -> None:
        """Let time pass (seconds, if a number), with all that becomes due in it."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        if not 0 <= seconds <= _LONGEST:
            raise ValueError("time goes on, and not by more than a hundred years")
        with self.acting() as account:
            account.offset += seconds

    def pay(self, session: str, card: str = "good", **buyer: str) -> Obj:
        """Pay a checkout session by its id, as on its page; raises `RequestError` if the card is declined."""
        with self.acting() as account:
            return shown(checkout.pay(account, session, Buyer(card, **buyer)))

    def renew(self, subscription: str, *, pay: bool | None = None, draft: bool = False) -> Obj:
        """Go to the end of a subscription's period and begin the next; the invoice. ``pay`` overrules the card."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            ends = subscriptions.first_item(found)["current_period_end"]
            account.offset += max(0, ends - account.now())
            if found["cancel_at_period_end"]:
                return shown(subscriptions.end(account, found))
            return shown(subscriptions.renew(account, found, pay=pay, draft=draft))

    def retry_payment(self, subscription: str, *, pay: bool | None = None) -> bool:
        """Try a subscription's open invoice again; whether it is paid now. ``pay`` overrules the card."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            invoice = account.get("invoice", found["latest_invoice"])
            if invoice["status"] == "draft":
                invoices.finalize(account, invoice)
            if invoice["status"] != "open":
                raise invalid("There is no open invoice.")
            return retry(account, invoice, pay=pay)

    def give_up(self, subscription: str, outcome: str | None = None) -> Obj:
        """End the retries: ``unpaid``, ``canceled`` or ``past_due``, by the account's settings unless given."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            subscriptions.give_up(account, found, outcome)
            return shown(found)

    def set_status(self, subscription: str, status: str) -> Obj:
        """Put a subscription into a status that nothing here leads to, such as ``paused`` or ``trialing``."""
        events = {"paused": "paused", "canceled": "deleted"}
        with self.acting() as account:
            found = account.get("subscription", subscription)
            event = "resumed" if found["status"] == "paused" else events.get(status, "updated")
            if status == "canceled":
                return shown(subscriptions.end(account, found))
            return shown(account.change(found, f"customer.subscription.{event}", status=status))

    def change_plan(self, subscription: str, price: str) -> Obj:
        """What "change plan" in the portal does."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            quantity = subscriptions.first_item(found)["quantity"]
            chosen = usable_price(account, price, "price")
            subscriptions.change_price(account, found, chosen, quantity, "always_invoice")
            return shown(found)

    def cancel_later(self, subscription: str, *, cancels: bool = True) -> Obj:
        """What "cancel plan" in the portal does, or taking that back."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            return shown(subscriptions.cancel_later(account, found, cancels=cancels))

    def change_card(self, subscription: str, card: str) -> Obj:
        """Another card for a subscription."""
        with self.acting() as account:
            found = account.get("subscription", subscription)
            method = new_method(account, found["customer"], card, Buyer().details)
            event = subscriptions.UPDATED
            return shown(account.change(found, event, default_payment_method=method["id"]))

    def refund(self, charge: str, amount: int | None = None, *, pending: bool = False) -> Obj:
        """What "refund" in the dashboard does, of all that is left of a charge unless ``amount`` is less."""
        params = {"charge": charge} | ({} if amount is None else {"amount": amount})
        with self.acting() as account:
            return charges.create_refund(account, params, pending=pending)

    def fail_refund(self, refund: str) -> Obj:
        """A bank sends a refund back, pending or not."""
        with self.acting() as account:
            return charges.fail_refund(account, refund)

    def dispute(self, charge: str, amount: int | None = None) -> Obj:
        """A bank takes a charge back, or ``amount`` of it; the dispute."""
        with self.acting() as account:
            return charges.dispute(account, charge, amount)

    def reinstate(self, dispute: str) -> Obj:
        """A dispute is won, and its amount comes back."""
        with self.acting() as account:
            return charges.reinstate(account, dispute)

    def open_portal(self, customer: str) -> Obj:
        """A session of the portal."""
        with self.acting() as account:
            return portal.create_session(account, {"customer": customer})

    def set_account(self, **settings: Any) -> None:
        """Change settings: those of `standins.stripe.account.SETTINGS`."""
        with self.acting() as account:
            if unknown := settings.keys() - SETTINGS.keys():
                raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
            check_rights(settings.get("rights", {}))
            account.settings |= settings
            account.told.set()

    def pause_deliveries(self, *, paused: bool = True) -> None:
        """Hold events back, or deliver them again."""
        self.set_account(deliveries_paused=paused)

    def objects(self, kind: str) -> list[Obj]:
        """All objects of a kind (``subscription``, ``checkout.session``), the oldest first."""
        with self.acting() as account:
            return [shown(one) for one in account.of(kind).values() if "_deleted" not in one]

    def state(self) -> Obj:
        """All of it: the clock, the settings, the number of objects of each kind, and the objects themselves."""
        with self.acting() as account:
            kept = {kind: [shown(one) for one in table.values()] for kind, table in account.tables.items()}
            counts = {kind: len(found) for kind, found in kept.items()}
            facts = {"now": account.now(), "settings": dict(account.settings), "mails": list(account.mails)}
            return {**facts, "counts": counts, "objects": kept}

    @property
    def mails(self) -> list[Obj]:
        """What Stripe itself would have mailed: the type, the customer, the invoice, and when."""
        with self.account.lock:
            return list(self.account.mails)

    def pending(self) -> list[bytes]:
        """The bodies of the events that were not delivered yet, the oldest first."""
        return [body_of(event) for event in self.deliveries.pending(self.destination)]

    def take_events(self) -> list[bytes]:
        """The same, and they count as delivered: the caller delivers them, in whatever order and number."""
        found = self.deliveries.pending(self.destination)
        for event in found:
            self.deliveries.done(event, self.destination)
        return [body_of(event) for event in found]

    def sign(self, body: bytes, secret: str | None = None, at: int | None = None) -> str:
        """The ``Stripe-Signature`` of ``body``: by the destination's secret or ``secret``, now or ``at``."""
        return sign(body, self.secret if secret is None else secret, at)

    @property
    def secret(self) -> str:
        """The secret that signs what is delivered."""
        return str(self.account.of("webhook_endpoint")[self.destination]["_secret"])
