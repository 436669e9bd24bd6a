"""Operators: the accounts of those who run the service."""

from __future__ import annotations

from pigi.operations.operators.operators import (
    add_operator,
    disable_operator,
    enable_operator,
    list_operators,
    operator_named,
)

__all__ = ["add_operator", "disable_operator", "enable_operator", "list_operators", "operator_named"]
