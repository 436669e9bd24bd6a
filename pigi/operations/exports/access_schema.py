"""The form of ``data.json`` in an access export, as a JSON Schema that says of each field what it is for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pigi.domain.privacy import Disclosure
from pigi.privacy.inventory import period_words
from pigi.privacy.leads import CONTROL_LEADS, TENANT_LEADS
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData

    from pigi.privacy.leads import Led

FORMAT, VERSION = "pigi-access", 1
_MOMENT = {"type": "string", "format": "date-time"}


@cache
def schema() -> dict[str, Any]:
    """The schema (JSON Schema, 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What Pigi holds about a person",
        **_object(
            {
                "format": {"const": FORMAT},
                "version": {"const": VERSION},
                "exported_at": _MOMENT,
                "person": _object({name: {"type": "string"} for name in ("id", "name", "email")}),
                "records": _records(CONTROL, CONTROL_LEADS),
                "organisations": {
                    "type": "array",
                    "description": "Organisations that the person belongs to, or did something in, with what they did.",
                    "items": _object(
                        {
                            "id": {"type": "string"},
                            "role": {"type": ["string", "null"], "description": "Null where they are no member."},
                            "records": _records(TENANT, TENANT_LEADS),
                            "problem": {"type": ["string", "null"], "description": "Why something is missing."},
                        }
                    ),
                },
            }
        ),
    }


def _records(metadata: MetaData, led: dict[str, Led]) -> dict[str, Any]:
    return _object({name: _rows(metadata.tables[name].columns.values(), found) for name, found in led.items()})


def _rows(columns: list[Column[Any]], led: Led) -> dict[str, Any]:
    shown = [column for column in columns if column.info["facts"].access is Disclosure.INCLUDED]
    row = {
        "type": "object",
        "additionalProperties": False,
        "properties": {column.key: _cell(column) for column in shown},
    }
    return {"type": "array", "title": led.title, "items": row}


def _cell(column: Column[Any]) -> dict[str, Any]:
    facts = column.info["facts"]
    return {
        "type": ["string", "number", "boolean"],
        "description": f"{facts.purpose}; kept {period_words(facts.retention)}; basis: {facts.basis}",
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }
