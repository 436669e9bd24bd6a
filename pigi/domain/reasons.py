"""Every code that Pigi shows, with what happened and what to do next, written once.

Codes are wire names: they never change and are never reused. Sentences may improve.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """``title`` says what happened; ``advice`` is the next step for whoever reads it."""

    title: str
    advice: str


REASONS: dict[str, Reason] = {
    # Ends of jobs
    "cancelled": Reason("The job was cancelled.", "Ask again if you still need it."),
    "deadline_passed": Reason("The job did not finish before its deadline.", "Try again; if it repeats, tell the operator."),
    "fenced": Reason("The organisation was deleted or restricted after this was asked.", "Nothing more will happen."),
    "timed_out": Reason("The job ran longer than its kind may.", "Try again; if it repeats, tell the operator."),
    "worker_lost": Reason("Workers died several times while doing this job.", "Tell the operator; the job can be retried by hand."),
    "internal": Reason("Something broke inside Pigi.", "Try again; if it repeats, give the operator the job's id."),
    "kind_unknown": Reason("No worker knows this kind of job.", "Tell the operator: web and workers run different versions."),
    # The model provider
    "provider_busy": Reason("The model provider is too busy.", "Try again later."),
    "provider_unreachable": Reason("The model provider could not be reached.", "Try again later."),
    "provider_failed": Reason("The model provider answered with an error.", "Try again later."),
    "provider_rejected": Reason("The model provider did not accept the request.", "Change the purpose and try again."),
    "provider_unavailable": Reason("Generation is not available at the moment.", "Tell the operator: the provider refuses Pigi's account or model."),
    "stalled": Reason("The model stopped answering.", "Try again later."),
    "stream_cut": Reason("The model's answer was cut off on the way.", "Try again later."),
    "refused": Reason("The model declined to write this.", "Change the purpose and try again."),
    "draft_too_long": Reason("The draft grew beyond its limit.", "Ask for something smaller and try again."),
    "malformed": Reason("The model's answer was not a usable draft, also after one repair.", "Rephrase the purpose and try again."),
    "purpose_gone": Reason("The purpose text is no longer held.", "Retry with the purpose; Pigi erases it when a job ends."),
}


def explain(code: str) -> Reason:
    """The reason behind ``code``; an unknown code is a programming error and raises KeyError."""
    return REASONS[code]
