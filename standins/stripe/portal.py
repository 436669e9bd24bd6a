"""The customer portal: its configurations, its sessions, and what a customer does on its page."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from standins.stripe import subscriptions
from standins.stripe.account import merged, new_id, page, shown
from standins.stripe.catalogue import usable_price
from standins.stripe.charges import new_method
from standins.stripe.invoices import declined, method_of
from standins.stripe.requests import RequestError, invalid
from standins.stripe.subscriptions import change_price, retry

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.checkout import Buyer
    from standins.stripe.requests import Parameters

SESSION_SECONDS: Final = 3600
_CONFIGURATION: Final = "billing_portal.configuration"
_SESSION: Final = "billing_portal.session"
# What each feature has before anything is said of it.
_FEATURES: Final[dict[str, Any]] = {
    "customer_update": {"enabled": False, "allowed_updates": []},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
        "cancellation_reason": {"enabled": False, "options": []},
    },
    "subscription_update": {
        "enabled": False,
        "default_allowed_updates": [],
        "products": [],
        "proration_behavior": "none",
    },
}


def set_up(account: Account) -> None:
    """Make the default configuration, unless there is one: everything is allowed, between all products."""
    if account.of(_CONFIGURATION):
        return
    features: Obj = {name: {**usual, "enabled": True} for name, usual in _FEATURES.items()}
    features["customer_update"]["allowed_updates"] = ["email", "name", "address", "tax_id"]
    features["subscription_update"] |= {"default_allowed_updates": ["price"], "proration_behavior": "always_invoice"}
    features["subscription_update"]["products"] = _products(account)
    _add(account, {"features": features}, default=True)


def _products(account: Account) -> list[Obj]:
    by_product: dict[str, list[str]] = {}
    for price in account.of("price").values():
        by_product.setdefault(price["product"], []).append(price["id"])
    return [{"product": product, "prices": prices} for product, prices in by_product.items()]


def _add(account: Account, params: Parameters, *, default: bool) -> Obj:
    now = account.now()
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    return account.add({
        "id": new_id("bpc"),
        "object": _CONFIGURATION,
        "active": True,
        "application": None,
        "business_profile": {**profile, **params.get("business_profile", {})},
        "created": now,
        "default_return_url": params.get("default_return_url"),
        "features": _features(_FEATURES, params["features"]),
        "is_default": default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": merged({}, params.get("metadata", {})),
        "name": params.get("name"),
        "updated": now,
    })  # fmt: skip


def _features(current: Obj, params: Obj) -> Obj:
    return {name: {**usual, **(params.get(name) or {})} for name, usual in current.items()}


def create_configuration(account: Account, params: Parameters) -> Obj:
    """``POST /v1/billing_portal/configurations``."""
    made = _add(account, params, default=False)
    account.tell("billing_portal.configuration.created", made)
    return shown(made)


def update_configuration(account: Account, params: Parameters, name: str) -> Obj:
    """``POST /v1/billing_portal/configurations/{id}``; the default one can't be switched off."""
    found = account.get(_CONFIGURATION, name)
    if found["is_default"] and params.get("active") is False:
        raise invalid("You cannot deactivate the default configuration.", None, "active")
    changes = {key: params[key] for key in ("active", "default_return_url", "name") if key in params}
    if "features" in params:
        changes["features"] = _features(found["features"], params["features"])
    if "metadata" in params:
        changes["metadata"] = merged(found["metadata"], params["metadata"])
    account.change(found, "billing_portal.configuration.updated", **changes, updated=account.now())
    return shown(found)


def list_configurations(account: Account, params: Parameters) -> Obj:
    """``GET /v1/billing_portal/configurations``."""
    wanted = {name: params[name] for name in ("active", "is_default") if name in params}
    return page(
        account, "/v1/billing_portal/configurations", _CONFIGURATION, params, lambda one: wanted.items() <= one.items()
    )


def create_session(account: Account, params: Parameters) -> Obj:
    """``POST /v1/billing_portal/sessions``."""
    account.get("customer", params["customer"], "customer", 400)
    configuration = _configuration(account, params.get("configuration"))
    flow = params.get("flow_data")
    if flow is not None:
        _check_flow(account, params["customer"], flow)
    token = secrets.token_urlsafe(24)
    session = account.add({
        "id": new_id("bps"),
        "object": _SESSION,
        "configuration": configuration["id"],
        "created": account.now(),
        "customer": params["customer"],
        "flow": flow,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"{account.base}/portal/{token}",
        "_token": token,
    })  # fmt: skip
    account.tell("billing_portal.session.created", session)
    return shown(session)


def _configuration(account: Account, name: str | None) -> Obj:
    if name is not None:
        return account.get(_CONFIGURATION, name, "configuration", 400)
    for found in account.of(_CONFIGURATION).values():
        if found["is_default"]:
            return found
    raise invalid("You can't create a portal session until you save your customer portal settings.")


def _check_flow(account: Account, customer: str, flow: Obj) -> None:
    kind = flow["type"]
    if not kind.startswith("subscription_"):
        return
    param = f"flow_data[{kind}][subscription]"
    name = (flow.get(kind) or {}).get("subscription")
    if name is None:
        raise invalid(f"Missing required param: {param}.", "parameter_missing", param)
    if account.get("subscription", name, param, 400)["customer"] != customer:
        raise invalid("The subscription belongs to another customer.", None, param)


def opened(account: Account, token: str) -> Obj:
    """The session of a page's address; a 404 if there is none, it is over, or its customer is gone."""
    for session in account.of(_SESSION).values():
        fresh = account.now() < session["created"] + SESSION_SECONDS
        if fresh and secrets.compare_digest(session["_token"].encode(), token.encode()):
            account.get("customer", session["customer"])
            return session
    raise RequestError(404, "This link is over. Ask for a new one where you came from.")


def feature(account: Account, session: Obj, name: str) -> Obj:
    """What the session's configuration says of a feature; a 400 if it is off."""
    found: Obj = account.get(_CONFIGURATION, session["configuration"])["features"][name]
    if not found["enabled"]:
        raise invalid("The portal's configuration does not allow this.")
    return found


def standing(account: Account, session: Obj) -> list[Obj]:
    """The customer's subscriptions that have not ended, the newest first."""
    found = [one for one in account.of("subscription").values() if one["customer"] == session["customer"]]
    return [one for one in reversed(found) if one["ended_at"] is None]


def on_file(account: Account, session: Obj) -> Obj | None:
    """The card that pays for what the customer has, or would."""
    customer = account.get("customer", session["customer"])
    named = [one["default_payment_method"] for one in standing(account, session)]
    usual = customer["invoice_settings"]["default_payment_method"]
    return next((account.of("payment_method")[name] for name in [*named, usual] if name), None)


def _own(account: Account, session: Obj, kind: str, name: str) -> Obj:
    found = account.get(kind, name)
    if found["customer"] != session["customer"]:
        raise RequestError(404, "No such thing of yours.")
    return found


def change_plan(account: Account, session: Obj, name: str, price: str) -> None:
    """Another price for a subscription, among those that the configuration offers."""
    allowed = feature(account, session, "subscription_update")
    if price not in [one for product in allowed["products"] for one in product["prices"]]:
        raise invalid("The portal's configuration does not offer this price.")
    subscription = _own(account, session, "subscription", name)
    quantity = subscriptions.first_item(subscription)["quantity"]
    chosen = usable_price(account, price, "price")
    change_price(account, subscription, chosen, quantity, allowed["proration_behavior"])


def cancel(account: Account, session: Obj, name: str, *, cancels: bool) -> None:
    """End a subscription as the configuration says, or let it go on after all."""
    mode = feature(account, session, "subscription_cancel")["mode"]
    subscription = _own(account, session, "subscription", name)
    if cancels and mode == "immediately":
        subscriptions.end(account, subscription)
    else:
        subscriptions.cancel_later(account, subscription, cancels=cancels)


def change_card(account: Account, session: Obj, buyer: Buyer) -> None:
    """Another card, for all subscriptions; a declined one changes nothing and raises a 402."""
    feature(account, session, "payment_method_update")
    if buyer.card == "declined":
        raise declined()
    customer = account.get("customer", session["customer"])
    method = new_method(account, customer["id"], buyer.card, buyer.details)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    account.change(customer, "customer.updated", invoice_settings=settings)
    for subscription in standing(account, session):
        account.change(subscription, subscriptions.UPDATED, default_payment_method=method["id"])


def pay_invoice(account: Account, session: Obj, name: str) -> None:
    """Pay an open invoice with the card on file; a 402 if that is declined."""
    invoice = _own(account, session, "invoice", name)
    if invoice["status"] != "open":
        raise invalid("Only open invoices can be paid.")
    if method_of(account, invoice) is None or not retry(account, invoice):
        raise declined()
