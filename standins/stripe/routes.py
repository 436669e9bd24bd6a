"""The endpoints of the API: method, path, parameters, and the function that acts.

Parameters are those of the official SDK's types for this version, nested ones as far as this stand-in acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from standins.stripe import (
    catalogue,
    charges,
    checkout,
    customers,
    events,
    invoices,
    portal,
    subscriptions,
)
from standins.stripe.account import PAGING, page, search_customers, shown
from standins.stripe.requests import RequestError, Table, invalid
from standins.stripe.subscriptions import retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

_ADDRESS: Final = "address.city address.country address.line1 address.line2 address.postal_code address.state"
_CUSTOMER: Final = f"""
{_ADDRESS} balance:int business_name description email:email expand.# individual_name invoice_prefix
invoice_settings.default_payment_method invoice_settings.footer metadata.* name next_invoice_sequence:int phone
preferred_locales.# tax_exempt:exempt|none|reverse|"""
_REASONS: Final = (
    "customer_service|low_quality|missing_features|other|switched_service|too_complex|too_expensive|unused|"
)
_DETAILS: Final = f"cancellation_details.comment cancellation_details.feedback:{_REASONS}"
_PRORATION: Final = "proration_behavior:always_invoice|create_prorations|none"
_CHECKOUT: Final = """
allow_promotion_codes:bool automatic_tax.enabled:bool billing_address_collection:auto|required cancel_url:url
client_reference_id consent_collection.terms_of_service:none|required currency
custom_text.submit.message custom_text.after_submit.message customer
customer_creation:always|if_required customer_email:email customer_update.address:auto|never
customer_update.name:auto|never customer_update.shipping:auto|never expand.# expires_at:int line_items.#.price
line_items.#.quantity:int line_items.#.metadata.* locale metadata.* mode:payment|setup|subscription!
payment_method_collection:always|if_required phone_number_collection.enabled:bool
saved_payment_method_options.payment_method_save:disabled|enabled submit_type:auto|book|donate|pay|subscribe
subscription_data.description subscription_data.metadata.* success_url:url tax_id_collection.enabled:bool
tax_id_collection.required:if_supported|never ui_mode:elements|embedded_page|form|hosted_page"""
_UPDATE: Final = f"""
cancel_at_period_end:bool {_DETAILS} default_payment_method description expand.# items.#.id items.#.price
items.#.quantity:int metadata.* off_session:bool
payment_behavior:allow_incomplete|default_incomplete|error_if_incomplete|pending_if_incomplete
proration_date:int {_PRORATION}"""
_FEATURES: Final = f"""
features.customer_update.enabled:bool
features.customer_update.allowed_updates.#:address|email|name|phone|shipping|tax_id
features.invoice_history.enabled:bool features.payment_method_update.enabled:bool
features.payment_method_update.payment_method_configuration features.subscription_cancel.enabled:bool
features.subscription_cancel.mode:at_period_end|immediately features.subscription_cancel.{_PRORATION}
features.subscription_cancel.cancellation_reason.enabled:bool
features.subscription_cancel.cancellation_reason.options.#:{_REASONS} features.subscription_update.enabled:bool
features.subscription_update.billing_cycle_anchor:now|unchanged
features.subscription_update.default_allowed_updates.#:price|promotion_code|quantity
features.subscription_update.products.#.product features.subscription_update.products.#.prices.#
features.subscription_update.{_PRORATION}"""
_PORTAL: Final = f"""
business_profile.headline business_profile.privacy_policy_url:url business_profile.terms_of_service_url:url
default_return_url expand.# {_FEATURES} login_page.enabled:bool metadata.* name"""
_FLOWS: Final = "payment_method_update|subscription_cancel|subscription_update|customer_update"
_PORTAL_SESSION: Final = f"""
configuration customer! expand.# flow_data.type:{_FLOWS} flow_data.subscription_cancel.subscription
flow_data.subscription_update.subscription flow_data.after_completion.type:hosted_confirmation|portal_homepage|redirect
flow_data.after_completion.redirect.return_url:url locale on_behalf_of return_url:url"""
_MOST_TYPES: Final = 20  # the SDK's types of this endpoint's parameters
_STATUSES: Final = "active|all|canceled|ended|incomplete|incomplete_expired|past_due|paused|trialing|unpaid"


@dataclass(frozen=True)
class Route:
    """An endpoint; ``act`` gets the account, the parameters and the ids that the path names."""

    method: str
    parts: tuple[str, ...]
    table: Table
    act: Callable[..., Obj]


def _read(kind: str) -> Callable[..., Obj]:
    def read(account: Account, _params: Parameters, name: str) -> Obj:
        return shown(account.get(kind, name))

    return read


def _read_thin(account: Account, _params: Parameters, name: str) -> Obj:
    return events.read_thin(account.get("v2.core.event", name))


def _list_events(account: Account, params: Parameters) -> Obj:
    if len(params.get("types") or []) > _MOST_TYPES:
        raise invalid(f"You can list at most {_MOST_TYPES} types.", None, "types")
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    oldest = account.now() - events.KEPT_SECONDS

    def keep(one: Obj) -> bool:
        return one["created"] >= oldest and (kinds is None or one["type"] in kinds)

    return page(account, "/v1/events", "event", params, keep)


def _close(status: str, words: str) -> Callable[..., Obj]:
    def close(account: Account, _params: Parameters, name: str) -> Obj:
        invoice = account.get("invoice", name)
        statuses = ("open", "uncollectible") if status == "void" else ("open",)
        invoices.expect(invoice, *statuses, words=words)
        return shown(subscriptions.settle(account, invoice, status))

    return close


def _pay(account: Account, params: Parameters, name: str) -> Obj:
    invoice = account.get("invoice", name)
    if invoice["status"] == "draft":
        invoices.finalize(account, invoice)
    invoices.expect(invoice, "open", words="Invoice is already paid, void or uncollectible.")
    if not retry(account, invoice, pay=True if params.get("paid_out_of_band") else None):
        raise invoices.declined()
    return shown(invoice)


def _finalize(account: Account, _params: Parameters, name: str) -> Obj:
    invoice = account.get("invoice", name)
    invoices.expect(invoice, "draft", words="This invoice is already finalized, you can't re-finalize it.")
    return shown(invoices.finalize(account, invoice))


def _route(method: str, path: str, words: str, act: Callable[..., Any]) -> Route:
    return Route(method, tuple(path.strip("/").split("/")), Table.of(words), act)


_R: Final = "expand.#"
_L: Final = f"{PAGING} created:range"
_VOID: Final = "You can only void open or uncollectible invoices."

ROUTES: Final = (
    _route("GET", "/v1/account", _R, catalogue.read_account),
    _route("POST", "/v1/customers", _CUSTOMER + " payment_method validate:bool", customers.create_customer),
    _route("GET", "/v1/customers", f"{_L} email test_clock", customers.list_customers),
    _route("GET", "/v1/customers/search", "query! limit:int page expand.#", search_customers),
    _route("GET", "/v1/customers/{}", _R, customers.read_customer),
    _route("POST", "/v1/customers/{}", _CUSTOMER + " default_source validate:bool", customers.update_customer),
    _route("DELETE", "/v1/customers/{}", "", customers.delete_customer),
    _route("GET", "/v1/products", f"{_L} active:bool ids.# shippable:bool type url", catalogue.list_products),
    _route("GET", "/v1/products/{}", _R, _read("product")),
    _route(
        "GET", "/v1/prices",
        f"{_L} active:bool currency lookup_keys.# product recurring.interval recurring.usage_type type",
        catalogue.list_prices,
    ),
    _route("GET", "/v1/prices/{}", _R, _read("price")),
    _route("POST", "/v1/checkout/sessions", _CHECKOUT, checkout.create_session),
    _route(
        "GET", "/v1/checkout/sessions",
        f"{_L} customer customer_details.email payment_intent payment_link status:complete|expired|open subscription",
        checkout.list_sessions,
    ),
    _route("GET", "/v1/checkout/sessions/{}", _R, _read("checkout.session")),
    _route("POST", "/v1/checkout/sessions/{}/expire", _R, checkout.expire_session),
    _route(
        "GET", "/v1/subscriptions",
        f"{_L} customer price plan status:{_STATUSES} current_period_start:range current_period_end:range"
        " collection_method:charge_automatically|send_invoice test_clock",
        subscriptions.list_subscriptions,
    ),
    _route("GET", "/v1/subscriptions/{}", _R, _read("subscription")),
    _route("POST", "/v1/subscriptions/{}", _UPDATE, subscriptions.update_subscription),
    _route(
        "DELETE", "/v1/subscriptions/{}", f"{_R} invoice_now:bool prorate:bool {_DETAILS}",
        subscriptions.cancel_subscription,
    ),
    _route(
        "GET", "/v1/invoices",
        f"{_L} customer subscription status:draft|open|paid|uncollectible|void due_date:range"
        " collection_method:charge_automatically|send_invoice",
        invoices.list_invoices,
    ),
    _route("GET", "/v1/invoices/{}", _R, _read("invoice")),
    _route("DELETE", "/v1/invoices/{}", "", invoices.delete_draft),
    _route("POST", "/v1/invoices/{}/void", _R, _close("void", _VOID)),
    _route(
        "POST", "/v1/invoices/{}/mark_uncollectible", _R,
        _close("uncollectible", "You can only mark open invoices as uncollectible."),
    ),
    _route("POST", "/v1/invoices/{}/finalize", f"{_R} auto_advance:bool", _finalize),
    _route(
        "POST", "/v1/invoices/{}/pay", f"{_R} forgive:bool off_session:bool paid_out_of_band:bool payment_method", _pay
    ),
    _route(
        "GET", "/v1/invoice_payments",
        f"{_L} invoice payment.type:payment_intent|payment_record payment.payment_intent payment.payment_record"
        " status:canceled|open|paid",
        invoices.list_payments,
    ),
    _route("GET", "/v1/charges", f"{_L} customer payment_intent transfer_group", charges.list_charges),
    _route("GET", "/v1/charges/{}", _R, _read("charge")),
    _route("GET", "/v1/payment_intents/{}", _R, _read("payment_intent")),
    _route("GET", "/v1/payment_methods/{}", _R, _read("payment_method")),
    _route(
        "POST", "/v1/refunds",
        f"{_R} amount:int charge payment_intent metadata.* reason:duplicate|fraudulent|requested_by_customer",
        charges.create_refund,
    ),
    _route("GET", "/v1/refunds/{}", _R, _read("refund")),
    _route("GET", "/v1/disputes/{}", _R, _read("dispute")),
    _route("POST", "/v1/billing_portal/configurations", f"{_PORTAL} features!", portal.create_configuration),
    _route(
        "GET", "/v1/billing_portal/configurations", f"{PAGING} active:bool is_default:bool", portal.list_configurations
    ),
    _route("GET", "/v1/billing_portal/configurations/{}", _R, _read("billing_portal.configuration")),
    _route("POST", "/v1/billing_portal/configurations/{}", f"{_PORTAL} active:bool", portal.update_configuration),
    _route("POST", "/v1/billing_portal/sessions", _PORTAL_SESSION, portal.create_session),
    _route(
        "POST", "/v1/webhook_endpoints",
        f"{_R} api_version connect:bool description enabled_events.# enabled_events! url:url! metadata.*",
        events.create_endpoint,
    ),
    _route("GET", "/v1/webhook_endpoints", PAGING, events.list_endpoints),
    _route("GET", "/v1/webhook_endpoints/{}", _R, _read("webhook_endpoint")),
    _route(
        "POST", "/v1/webhook_endpoints/{}", f"{_R} description disabled:bool enabled_events.# metadata.* url:url",
        events.update_endpoint,
    ),
    _route("DELETE", "/v1/webhook_endpoints/{}", "", events.delete_endpoint),
    _route("GET", "/v1/events", f"{_L} delivery_success:bool type types.#", _list_events),
    _route("GET", "/v1/events/{}", _R, _read("event")),
    _route(
        "GET", "/v2/core/events",
        "limit:int object_id types.# created.gt created.gte created.lt created.lte page", events.thin_page,
    ),
    _route("GET", "/v2/core/events/{}", "", _read_thin),
    _route("GET", "/v2/core/event_destinations", "limit:int include.# page", events.list_destinations),
)  # fmt: skip


def find_route(method: str, path: str) -> tuple[Route, list[str]]:
    """The endpoint that a request is for, and the ids in its path; a 404 if there is none."""
    parts = path.strip("/").split("/")
    for route in ROUTES:
        if route.method == method and len(route.parts) == len(parts):
            pairs = list(zip(route.parts, parts, strict=True))
            if all(part in {"{}", given} for part, given in pairs):
                return route, [given for part, given in pairs if part == "{}"]
    raise RequestError(404, f"Unrecognized request URL ({method}: {path}).")
