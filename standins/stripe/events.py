"""Events: made of each change, signed, and delivered to the webhook endpoints that want them.

A snapshot event holds what changed, a thin one says only which object did. Source: Stripe's API reference, "The Event
object" and "Webhook Endpoints", and docs.stripe.com, "Event destinations" and "Webhooks"; fields and names of thin
events are those of the official SDK's notification classes.

Stripe retries deliveries for three days with growing pauses ("Webhooks", "Retry behavior"); here pauses are seconds,
since somebody who develops waits for them.
"""

from __future__ import annotations

import hmac
import http.client
import itertools
import json
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from standins.stripe.account import VERSION, merged, new_id, page, shown

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

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
_KIND: Final = "webhook_endpoint"
_TIMEOUT: Final = 10
_LONGEST_PAUSE: Final = 30
_TICK: Final = 0.5


def make(account: Account, kind: str, obj: Obj, previous: Obj | None) -> None:
    """Keep the snapshot event and the thin ones of a change; each destination that wants one gets it later."""
    snapshot = _snapshot(account, kind, obj, previous)
    thin = [_thin(account, sort, obj, snapshot["id"]) for sort in _thin_kinds(kind, obj, previous)]
    for event in [snapshot, *thin]:
        payload = "snapshot" if event is snapshot else "thin"
        wanting = [one["id"] for one in account.of(_KIND).values() if _wants(one, payload, event["type"])]
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


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """The ``Stripe-Signature`` of ``body``, by ``secret``; at the real time, which the receiver knows."""
    moment = int(time.time()) if at is None else at
    signed = b"%d.%b" % (moment, body)
    return f"t={moment},v1={hmac.digest(secret.encode(), signed, 'sha256').hex()}"


def read_thin(event: Obj) -> Obj:
    """A thin event as the API answers it."""
    return {**shown(event), "snapshot_event": event["_snapshot"], "changes": None}


def thin_page(account: Account, params: dict[str, Any]) -> Obj:
    """The thin events that fit the parameters, the newest first, on one page."""
    kinds, about, limit = params.get("types"), params.get("object_id"), params.get("limit", 20)
    found = [
        read_thin(event)
        for event in reversed(account.of("v2.core.event").values())
        if (not kinds or event["type"] in kinds)
        and (not about or event["related_object"]["id"] == about)
        and _since(event["created"], params.get("created") or {})
    ]
    return {"data": found[:limit], "next_page_url": None, "previous_page_url": None}


def _since(created: str, bounds: dict[str, str]) -> bool:
    at = datetime.fromisoformat(created)
    moments = {name: datetime.fromisoformat(bound) for name, bound in bounds.items()}
    low, high = moments.get("gte", at), moments.get("lte", at)
    return low <= at <= high and at > moments.get("gt", datetime.min.replace(tzinfo=UTC))


def new_destination(account: Account, url: str, events: Sequence[str], **more: Any) -> Obj:
    """A destination of ``events``; ``_payload`` is ``snapshot`` or ``thin``, ``_secret`` signs what it is sent."""
    return account.add({
        "id": new_id("we"),
        "object": _KIND,
        "api_version": VERSION,
        "application": None,
        "created": account.now(),
        "description": None,
        "enabled_events": list(events),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_payload": "snapshot",
        "_secret": f"whsec_{secrets.token_hex(16)}",
        **more,
    })  # fmt: skip


def create_endpoint(account: Account, params: Parameters) -> Obj:
    """``POST /v1/webhook_endpoints``; only this answer has the secret."""
    plain = {name: params[name] for name in ("description", "api_version") if name in params}
    made = new_destination(account, params["url"], params["enabled_events"], **plain)
    made["metadata"] = merged({}, params.get("metadata", {}))
    return {**shown(made), "secret": made["_secret"]}


def update_endpoint(account: Account, params: Parameters, name: str) -> Obj:
    """``POST /v1/webhook_endpoints/{id}``."""
    found = account.get(_KIND, name)
    found |= {key: params[key] for key in ("description", "enabled_events", "url") if key in params}
    if "disabled" in params:
        found["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        found["metadata"] = merged(found["metadata"], params["metadata"])
    return shown(found)


def delete_endpoint(account: Account, _params: Parameters, name: str) -> Obj:
    """``DELETE /v1/webhook_endpoints/{id}``."""
    account.get(_KIND, name)
    del account.of(_KIND)[name]
    return {"id": name, "object": _KIND, "deleted": True}


def list_endpoints(account: Account, params: Parameters) -> Obj:
    """``GET /v1/webhook_endpoints``: those of snapshots; thin events' are only in version 2 of the API."""
    return page(
        account, "/v1/webhook_endpoints", _KIND, params, lambda one: one["_payload"] == "snapshot" and one["url"] != ""
    )


def list_destinations(account: Account, params: Parameters) -> Obj:
    """``GET /v2/core/event_destinations``: all of them, in version 2's form; addresses only if included."""
    told = "webhook_endpoint.url" in params.get("include", [])
    data = [
        _second_form(one, one["url"] if told else None) for one in reversed(account.of(_KIND).values()) if one["url"]
    ]
    return {"data": data, "next_page_url": None, "previous_page_url": None}


def _second_form(one: Obj, url: str | None) -> Obj:
    created = datetime.fromtimestamp(one["created"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": one["id"],
        "object": "v2.core.event_destination",
        "created": created,
        "description": one["description"] or "",
        "enabled_events": one["enabled_events"],
        "event_payload": one["_payload"],
        "events_from": ["self"],
        "livemode": False,
        "metadata": one["metadata"],
        "name": one["id"],
        "snapshot_api_version": one["api_version"] if one["_payload"] == "snapshot" else None,
        "status": one["status"],
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": created,
        "webhook_endpoint": {"signing_secret": None, "url": url},
    }


class Deliveries:
    """What is still to be delivered; ``run`` delivers it until ``closing`` is set."""

    def __init__(self, account: Account, closing: threading.Event) -> None:
        self._account = account
        self._closing = closing
        self._due: dict[tuple[str, str], float] = {}

    def run(self) -> None:
        """Deliver what is due, for ever. Meant for a thread of its own."""
        while not self._closing.is_set():
            self._account.told.wait(_TICK)
            self._account.told.clear()
            for event, destination in self._ready():
                self._deliver(event, destination)

    def pending(self, destination: str) -> list[Obj]:
        """The events that a destination has not got yet, the oldest first."""
        with self._account.lock:
            events = [one for kind in KINDS for one in self._account.of(kind).values()]
            return [event for event in events if destination in event["_pending"]]

    def done(self, event: Obj, destination: str) -> None:
        """Note that a destination has it."""
        with self._account.lock:
            event["_pending"].pop(destination, None)
            if event["object"] == "event":
                event["pending_webhooks"] = len(event["_pending"])
            self._account.save()

    def _ready(self) -> list[tuple[Obj, Obj]]:
        now = time.monotonic()
        with self._account.lock:
            if self._account.settings["deliveries_paused"]:
                return []
            open_ones = [one for one in self._account.of(_KIND).values() if one["url"]]
        return [
            (event, one)
            for one in open_ones
            if one["status"] == "enabled"
            for event in self.pending(one["id"])
            if self._due.get((event["id"], one["id"]), 0) <= now
        ]

    def _deliver(self, event: Obj, destination: Obj) -> None:
        if self._closing.is_set():
            return
        name = destination["id"]
        if _post(destination["url"], body_of(event), destination["_secret"]):
            self.done(event, name)
            self._due.pop((event["id"], name), None)
            return
        with self._account.lock:
            event["_pending"][name] += 1
            pause = min(2.0 ** event["_pending"][name] / 2, _LONGEST_PAUSE)
        self._due[event["id"], name] = time.monotonic() + pause


def _post(url: str, body: bytes, secret: str) -> bool:
    """Whether the receiver took it: any 2xx. A redirect is none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, secret),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        return connection.getresponse().status // 100 == 2  # noqa: PLR2004 - success, of any kind
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
