"""Silencing the loggers of the vendors' libraries, which may quote what was sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def silence(names: Sequence[str]) -> None:
    """Keep the loggers of these names, and those below them, from logging at all, whatever level or handler others set.

    Propagation alone is not enough, since a handler may sit on one of these loggers, and a level alone can be
    lowered again (SDKs do so themselves when the environment says so).
    """
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in names]
    for name in (*names, *known):
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False
