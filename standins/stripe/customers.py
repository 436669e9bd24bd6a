"""Customers: created, updated, read, listed, deleted. Source: Stripe's API reference, "Customers"."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import merged, new_id, page, shown
from standins.stripe.subscriptions import end

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_PLAIN: Final = ("name", "email", "description", "phone")
_ALPHABET: Final = string.ascii_uppercase + string.digits


def whole_address(given: dict[str, Any] | None) -> Obj | None:
    """An address with all its fields; None for none."""
    return None if given is None else {part: given.get(part) for part in _ADDRESS}


def create_customer(account: Account, params: Parameters) -> Obj:
    """``POST /v1/customers``."""
    customer = account.add(_blank(account.now()))
    customer |= _fields(params)
    customer["metadata"] = merged({}, params.get("metadata"))
    account.tell("customer.created", customer)
    return shown(customer)


def _blank(now: int) -> Obj:
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    no_method = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": prefix,
        "invoice_settings": no_method,
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        "_changed": now,
    }


def _fields(params: Parameters) -> Obj:
    found: Obj = {name: params[name] for name in (*_PLAIN, "tax_exempt") if name in params}
    if "address" in params:
        found["address"] = whole_address(params["address"])
    if "preferred_locales" in params:
        found["preferred_locales"] = params["preferred_locales"] or []
    return found


def update_customer(account: Account, params: Parameters, name: str) -> Obj:
    """``POST /v1/customers/{id}``."""
    customer = account.get("customer", name)
    changes = _fields(params)
    if "metadata" in params:
        changes["metadata"] = merged(customer["metadata"], params["metadata"])
    method = params.get("invoice_settings", {}).get("default_payment_method")
    if method is not None:
        account.get("payment_method", method, "invoice_settings[default_payment_method]", 400)
        changes["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": method}
    account.change(customer, "customer.updated", **changes)
    customer["_changed"] = account.now()
    return shown(customer)


def read_customer(account: Account, _params: Parameters, name: str) -> Obj:
    """``GET /v1/customers/{id}``; of a deleted one only that it was deleted."""
    return shown(account.of("customer").get(name) or account.get("customer", name))


def delete_customer(account: Account, _params: Parameters, name: str) -> Obj:
    """``DELETE /v1/customers/{id}``: ends its subscriptions, and forgets its means of payment."""
    customer = account.get("customer", name)
    for subscription in list(account.of("subscription").values()):
        if subscription["customer"] == name and subscription["ended_at"] is None:
            end(account, subscription)
    for method in account.of("payment_method").values():
        if method["customer"] == name:
            account.change(method, "payment_method.detached", customer=None)
    account.tell("customer.deleted", customer)
    customer["_deleted"] = account.now()
    return shown(customer)


def list_customers(account: Account, params: Parameters) -> Obj:
    """``GET /v1/customers``."""
    return page(account, "/v1/customers", "customer", params, lambda one: params.get("email") in {None, one["email"]})
