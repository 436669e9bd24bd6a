"""Webhook endpoints: who is told of which events. Source: Stripe's API reference, "Webhook Endpoints"."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from standins.stripe.account import VERSION, merged, new_id, shown
from standins.stripe.lists import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standins.stripe.account import Account, Obj
    from standins.stripe.parameters import Parameters

_KIND = "webhook_endpoint"


def new_destination(account: Account, url: str, events: Sequence[str], **more: Any) -> Obj:
    """A destination of ``events``; ``_payload`` is ``snapshot`` or ``thin``, ``_secrets`` sign what it is sent."""
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
        "_secrets": [f"whsec_{secrets.token_hex(16)}"],
        **more,
    })  # fmt: skip


def create_endpoint(account: Account, asked: Parameters) -> Obj:
    """``POST /v1/webhook_endpoints``; only this answer has the secret."""
    plain = {name: asked[name] for name in ("description", "api_version") if name in asked}
    made = new_destination(account, asked["url"], asked["enabled_events"], **plain)
    made["metadata"] = merged({}, asked.get("metadata", {}))
    return {**shown(made), "secret": made["_secrets"][0]}


def update_endpoint(account: Account, asked: Parameters, name: str) -> Obj:
    """``POST /v1/webhook_endpoints/{id}``."""
    found = account.get(_KIND, name)
    found |= {key: asked[key] for key in ("description", "enabled_events", "url") if key in asked}
    if "disabled" in asked:
        found["status"] = "disabled" if asked["disabled"] else "enabled"
    if "metadata" in asked:
        found["metadata"] = merged(found["metadata"], asked["metadata"])
    return shown(found)


def delete_endpoint(account: Account, _asked: Parameters, name: str) -> Obj:
    """``DELETE /v1/webhook_endpoints/{id}``."""
    account.get(_KIND, name)
    del account.of(_KIND)[name]
    return {"id": name, "object": _KIND, "deleted": True}


def list_endpoints(account: Account, asked: Parameters) -> Obj:
    """``GET /v1/webhook_endpoints``: those of snapshots; thin events' are only in version 2 of the API."""
    return page(
        account, "/v1/webhook_endpoints", _KIND, asked, lambda one: one["_payload"] == "snapshot" and one["url"] != ""
    )


def list_destinations(account: Account, asked: Parameters) -> Obj:
    """``GET /v2/core/event_destinations``: all of them, in the second version's form; addresses only if asked for."""
    told = "webhook_endpoint.url" in asked.get("include", [])
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
