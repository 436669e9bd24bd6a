"""Why jobs end, and why they wait again."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

JOBS: Final[dict[str, Reason]] = {
    "cancelled": Reason("The job was cancelled.", "Ask again if you still need it."),
    "deadline_passed": Reason(
        "The job did not finish before its deadline.", "Try again; if it repeats, tell the operator."
    ),
    "fenced": Reason(
        "The organisation was deleted or restricted after this was requested.", "Nothing more will happen."
    ),
    "timed_out": Reason("The job ran longer than its kind may.", "Try again; if it repeats, tell the operator."),
    "worker_lost": Reason(
        "Workers died several times while doing this job.", "Tell the operator; the job can be retried by hand."
    ),
    "internal": Reason(
        "Something broke inside Pigi.", "Try again; if it repeats, give the operator the id of the job or request."
    ),
    "database_away": Reason("The database was away for a while.", "Try again; if it repeats, tell the operator."),
    "kind_unknown": Reason(
        "No worker knows this kind of job.", "Tell the operator: web and workers run different versions."
    ),
    "egress_refused": Reason(
        "Pigi was about to connect to somebody who is not among its recipients, and did not.",
        "Tell the operator: the error log has the place in the code, and docs/operations.md the next step.",
    ),
    "handed_back": Reason("A stopping worker gave the job back.", "Nothing: it goes on by itself."),
    "lease_lapsed": Reason("The worker went silent.", "Nothing: another worker takes over."),
    "retried_by_hand": Reason("Somebody retried the job.", "Nothing: it goes on by itself."),
}
