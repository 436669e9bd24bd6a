"""The rules for resources: what an organisation makes of those that are broken."""

from __future__ import annotations

from pigi.operations.rules.rules import RuleView, change_rules, list_rules

__all__ = ["RuleView", "change_rules", "list_rules"]
