"""The catalogue of controls: every group's, joined. A promise without one fails the build."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from pigi.domain.controls import GROUPS, WORDS

if TYPE_CHECKING:
    from pigi.domain.controls import Control


@cache
def controls_of(group: str) -> tuple[Control, ...]:
    """The controls of a group, or of `WORDS`; raises ValueError for a group that there is not."""
    if group not in {*GROUPS, WORDS}:
        message = f"there is no group of controls called {group}"
        raise ValueError(message)
    found: tuple[Control, ...] = import_module(f"pigi.operations.promises.controls.{group}").CONTROLS
    return found


@cache
def all_controls() -> dict[str, Control]:
    """Every control by its name, in the order of the promises; raises ValueError for a name that is taken twice."""
    found = [control for group in (*GROUPS, WORDS) for control in controls_of(group)]
    if len({control.name for control in found}) != len(found):
        message = "two controls have one name"
        raise ValueError(message)
    return {control.name: control for control in sorted(found, key=lambda control: control.promise)}
