"""Events: a snapshot of what changed, and thin ones that only say which object did; and their signature.

Source: Stripe's API reference, "The Event object", and docs.stripe.com, "Event destinations" and "Webhooks"; fields
and names of thin events are those of the official SDK's notification classes.
"""

from __future__ import annotations

import hmac
import itertools
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import VERSION, new_id, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from standins.stripe.account import Account, Obj

PATHS: Final = {
    "customer": "/v1/customers",
    "checkout.session": "/v1/checkout/sessions",
    "subscription": "/v1/subscriptions",
    "invoice": "/v1/invoices",
    "charge": "/v1/charges",
    "dispute": "/v1/disputes",
    "refund": "/v1/refunds",
    "payment_method": "/v1/payment_methods",
    "payment_intent": "/v1/payment_intents",
    "billing_portal.session": "/v1/billing_portal/sessions",
    "billing_portal.configuration": "/v1/billing_portal/configurations",
}
"""Where an object of each kind is read."""

KINDS: Final = ("event", "v2.core.event")
"""The two forms of events."""
KEPT_SECONDS: Final = 30 * 86_400

_OF_STATUS: Final = frozenset({"active", "incomplete", "incomplete_expired", "past_due", "trialing", "unpaid"})
_OF_FIELDS: Final = {"items": "item_price_changed", "cancel_at": "cancel_at_changed"}
_SUBSCRIPTION: Final = "customer.subscription"


def make(account: Account, kind: str, obj: Obj, previous: Obj | None) -> None:
    """Keep the snapshot event and the thin ones of a change; each destination that wants one gets it later."""
    snapshot = _snapshot(account, kind, obj, previous)
    thin = [_thin(account, sort, obj, snapshot["id"]) for sort in _thin_kinds(kind, obj, previous)]
    for event in [snapshot, *thin]:
        payload = "snapshot" if event is snapshot else "thin"
        wanting = [one["id"] for one in account.of("webhook_endpoint").values() if _wants(one, payload, event["type"])]
        event["_pending"] = dict.fromkeys(wanting, 0)
        account.add(event)
    snapshot["pending_webhooks"] = len(snapshot["_pending"])
    for kept in KINDS:
        _forget_old(account, account.of(kept))
    account.told.set()


def _forget_old(account: Account, table: dict[str, Obj]) -> None:
    """Events are there for 30 days ("The Event object"); those that nobody has got yet stay. The oldest come first."""
    oldest = account.now() - KEPT_SECONDS
    for name in list(itertools.takewhile(lambda name: _moment(table[name]) < oldest, table)):
        if not table[name]["_pending"]:
            del table[name]


def _moment(event: Obj) -> float:
    created = event["created"]
    return datetime.fromisoformat(created).timestamp() if isinstance(created, str) else float(created)


def _wants(destination: Obj, payload: str, kind: str) -> bool:
    wanted = destination["enabled_events"]
    enabled = destination["status"] == "enabled" and destination["_payload"] == payload
    return enabled and ("*" in wanted or kind in wanted)


def _snapshot(account: Account, kind: str, obj: Obj, previous: Obj | None) -> Obj:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": VERSION,
        "created": account.now(),
        "data": {"object": shown(obj)} | ({} if previous is None else {"previous_attributes": previous}),
        "livemode": False,
        "pending_webhooks": 0,
        "request": dict(account.request),
        "type": kind,
    }


def _thin_kinds(kind: str, obj: Obj, previous: Obj | None) -> list[str]:
    """The thin events of a change: for subscriptions they say more closely what became of it."""
    found = [kind]
    if kind in {f"{_SUBSCRIPTION}.created", f"{_SUBSCRIPTION}.updated"}:
        new = kind.endswith("created")
        if obj["status"] in _OF_STATUS and (new or "status" in (previous or {})):
            found.append(f"{_SUBSCRIPTION}.{obj['status']}")
        found += [f"{_SUBSCRIPTION}.{sort}" for name, sort in _OF_FIELDS.items() if name in (previous or {})]
    return [f"v1.{sort}" for sort in found]


def _thin(account: Account, kind: str, obj: Obj, snapshot: str) -> Obj:
    request = dict(account.request)
    at = datetime.fromtimestamp(account.now(), UTC)
    return {
        "id": new_id("evt"),
        "object": "v2.core.event",
        "type": kind,
        "created": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "livemode": False,
        "context": None,
        "reason": {"type": "request", "request": request} if request["id"] else None,
        "related_object": {
            "id": obj["id"],
            "type": obj["object"],
            "url": f"{PATHS.get(obj['object'], '/v1/' + obj['object'] + 's')}/{obj['id']}",
        },
        "_snapshot": snapshot,
    }


def body_of(event: Obj) -> bytes:
    """The event as it is posted, with the spaces that Stripe's have."""
    return json.dumps(shown(event), indent=2).encode()


def sign(body: bytes, secrets: Iterable[str], at: int | None = None) -> str:
    """The ``Stripe-Signature`` of ``body``, by each of ``secrets``; at the real time, which the receiver knows."""
    moment = int(time.time()) if at is None else at
    signed = b"%d.%b" % (moment, body)
    found = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={one}" for one in found)])


def read_thin(event: Obj) -> Obj:
    """A thin event as the API answers it."""
    return {**shown(event), "snapshot_event": event["_snapshot"], "changes": None}


def thin_page(account: Account, asked: dict[str, Any]) -> Obj:
    """The thin events that were asked for, the newest first, on one page."""
    kinds, about, limit = asked.get("types"), asked.get("object_id"), asked.get("limit", 20)
    found = [
        read_thin(event)
        for event in reversed(account.of("v2.core.event").values())
        if (not kinds or event["type"] in kinds)
        and (not about or event["related_object"]["id"] == about)
        and _since(event["created"], asked.get("created") or {})
    ]
    return {"data": found[:limit], "next_page_url": None, "previous_page_url": None}


def _since(created: str, bounds: dict[str, str]) -> bool:
    at = datetime.fromisoformat(created)
    moments = {name: datetime.fromisoformat(bound) for name, bound in bounds.items()}
    low, high = moments.get("gte", at), moments.get("lte", at)
    return low <= at <= high and at > moments.get("gt", datetime.min.replace(tzinfo=UTC))
