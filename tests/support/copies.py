"""Processes that are copies of one in which the project was imported once; that is most of what starting takes."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

LOADED = ["tests.support.processes", "tests.cli.forked"]


def copies() -> ForkServerContext:
    """Makes such processes; the one that is copied starts with the first and ends with the tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context
