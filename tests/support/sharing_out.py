"""How `make test` shares out the files among the workers of pytest-xdist.

What starts processes of its own waits for them most of the time and has deadlines; the rest computes all the time.
So one worker takes the former and the others the latter, each with something of the other kind at the end. Two of
the heavy ones are beside each other only then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

DRILLS = ("tests/faults/", "tests/end_to_end/")
"""Share a stack of processes on each engine (`tests.support.stack_fixtures`), so each engine's go to one worker."""
BROWSER = "tests/browser/"
"""Shares one installation, so it goes to one worker."""
WAITING = (*DRILLS, BROWSER, "tests/processes/")
ENGINE = re.compile(r"\[(sqlite|postgresql)\b")


class Sharing(LoadFileScheduling):
    """A file goes to one worker, and so does what shares a stack; the first worker prefers what waits."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file.startswith(BROWSER):
            return BROWSER
        engine = ENGINE.search(nodeid)
        return f"{DRILLS[0]} on {engine[1]}" if file.startswith(DRILLS) and engine else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = node is self.nodes[0]
        preferred = next((scope for scope in self.workqueue if scope.startswith(WAITING) is waiting), None)
        if preferred is not None:
            self.workqueue.move_to_end(preferred, last=False)
        super()._assign_work_unit(node)
