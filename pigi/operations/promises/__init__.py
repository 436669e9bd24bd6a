"""Promises: the controls that keep them, checked on schedule, and how each stands."""

from __future__ import annotations

from pigi.operations.promises.catalogue import all_controls, controls_of
from pigi.operations.promises.checking import check_controls, check_group
from pigi.operations.promises.document import promises_document
from pigi.operations.promises.standing import ControlStanding, PromiseStanding, promises_standing

__all__ = [
    "ControlStanding",
    "PromiseStanding",
    "all_controls",
    "check_controls",
    "check_group",
    "controls_of",
    "promises_document",
    "promises_standing",
]
