"""How `make test` shares out the files among the workers of pytest-xdist.

What starts processes of its own waits for them most of the time and has deadlines; the rest computes all the time.
So one worker takes the former and the others the latter, each with something of the other kind at the end. Two of
the heavy ones are beside each other only then.

xdist hands out first what has the most tests. What takes long with few comes before that, or else one worker would be
at it for minutes while the others had ended.
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
"""Shares one installation, so it goes to one worker, all but `REACH`."""
REACH = "tests/browser/test_reach.py"
"""Looks at every page of an installation of its own."""
WAITING = (*DRILLS, BROWSER, "tests/processes/")
LONG = (
    f"{DRILLS[0]} on ", REACH, BROWSER, "tests/processes/test_up.py",
    "tests/web/http/test_openapi.py", "tests/cli/test_operators.py", "tests/operations/deployment/test_deployment.py",
    "tests/cli/test_commands.py", "tests/operations/promises/", "tests/architecture/test_limits.py", "tests/cli/",
    "tests/operations/backups/", "tests/web/pages/test_whole.py", "tests/operations/billing/", "tests/architecture/",
)  # fmt: skip
"""Where a test takes a second or more on average, the longest first; which of them wait is for `WAITING` to say."""
ENGINE = re.compile(r"\[(sqlite|postgresql)\b")


class Sharing(LoadFileScheduling):
    """A file goes to one worker, and so does what shares a stack; the first worker prefers what waits."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file.startswith(BROWSER):
            return REACH if file == REACH else BROWSER
        engine = ENGINE.search(nodeid)
        return f"{DRILLS[0]} on {engine[1]}" if file.startswith(DRILLS) and engine else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = node is self.nodes[0]
        scopes = [scope for scope in self.workqueue if scope.startswith(WAITING) is waiting] or list(self.workqueue)
        self.workqueue.move_to_end(min(scopes, key=_place), last=False)
        super()._assign_work_unit(node)


def _place(scope: str) -> int:
    """Where it stands in `LONG`; the rest comes after those, in the order that it has."""
    return next((place for place, start in enumerate(LONG) if scope.startswith(start)), len(LONG))
