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
    "deadline_passed": Reason(
        "The job did not finish before its deadline.", "Try again; if it repeats, tell the operator."
    ),
    "fenced": Reason("The organisation was deleted or restricted after this was asked.", "Nothing more will happen."),
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
    # The stores
    "tenant_missing": Reason(
        "The organisation has no database or no key.", "Wait a moment if it is new; it may be deleted."
    ),
    "tenants_busy": Reason("Too many organisations are being worked for at once.", "Try again later."),
    "key_missing": Reason(
        "The installation lacks the key that opens this.", "Tell the operator: put it back in the keyring."
    ),
    "seal_broken": Reason(
        "What was stored cannot be opened.", "Tell the operator: it was altered, moved or its key is gone."
    ),
    # The model provider
    "provider_busy": Reason("The model provider is too busy.", "Try again later."),
    "provider_unreachable": Reason("The model provider could not be reached.", "Try again later."),
    "provider_failed": Reason("The model provider answered with an error.", "Try again later."),
    "provider_rejected": Reason("The model provider did not accept the request.", "Change the purpose and try again."),
    "provider_unavailable": Reason(
        "Generation is not available at the moment.", "Tell the operator: the provider refuses Pigi's account or model."
    ),
    "stalled": Reason("The model stopped answering.", "Try again later."),
    "stream_cut": Reason("The model's answer was cut off on the way.", "Try again later."),
    "refused": Reason("The model declined to write this.", "Change the purpose and try again."),
    "draft_too_long": Reason("The draft grew beyond its limit.", "Ask for something smaller and try again."),
    "malformed": Reason(
        "The model's answer was not a usable draft, also after one repair.", "Rephrase the purpose and try again."
    ),
    "purpose_gone": Reason(
        "The purpose text is no longer held.", "Retry with the purpose; Pigi erases it when a job ends."
    ),
    # Why a job waits again
    "handed_back": Reason("A stopping worker gave the job back.", "Nothing: it goes on by itself."),
    "lease_lapsed": Reason("The worker went silent.", "Nothing: another worker takes over."),
    "retried_by_hand": Reason("Somebody asked for the job to be done again.", "Nothing: it goes on by itself."),
    # Refused requests
    "malformed_request": Reason("The request cannot be read.", "Correct the request; the API document shows its form."),
    "malformed_body": Reason(
        "The body is not valid JSON.",
        "Send one JSON object in UTF-8, with no name twice, no NaN and little nesting.",
    ),
    "idempotency_key_malformed": Reason(
        "The Idempotency-Key cannot be used.", "Send 1 to 255 printable ASCII characters; a fresh UUID is best."
    ),
    "unauthenticated": Reason(
        "You are not signed in.",
        "Sign in, or send an API key as 'Authorization: Bearer pigi_…'; sessions end and keys expire.",
    ),
    "forbidden": Reason(
        "You may not do this here.", "Ask an owner or admin of the organisation, or use a key with the scope for it."
    ),
    "csrf_refused": Reason(
        "The request does not show that it comes from Pigi's own pages.",
        "Reload the page and try again; programs send the XSRF-TOKEN cookie's value as X-XSRF-TOKEN.",
    ),
    "organisation_closed": Reason(
        "The organisation was deleted or restricted.", "Nothing new can be asked for; an owner can say why."
    ),
    "not_found": Reason(
        "There is no such thing, or it is not yours.", "Check the address and which organisation the key belongs to."
    ),
    "method_not_allowed": Reason(
        "This address does not take this method.", "Use a method that the Allow header lists."
    ),
    "not_retryable": Reason(
        "Only a failed job can be retried, while Pigi still holds what it needs.",
        "Look at the job's state; ask anew if it was buried.",
    ),
    "idempotency_undecided": Reason(
        "The first request with this Idempotency-Key is still at work.", "Send the same request again in a moment."
    ),
    "body_too_large": Reason("The body is too large.", "Send at most 64 KiB."),
    "media_type_unsupported": Reason("The body is not declared as JSON.", "Send 'Content-Type: application/json'."),
    "invalid": Reason("The request does not have the right form.", "Correct what 'errors' lists and send it again."),
    "invalid_name": Reason("The name cannot be used.", "Choose one of 1 to 120 printable characters."),
    "invalid_days": Reason("The key cannot live so long.", "Choose 1 to 365 days."),
    "purpose_required": Reason(
        "Retrying this job needs its purpose again.", 'Send {"purpose": …}; Pigi erases it when a job ends.'
    ),
    "idempotency_key_reused": Reason(
        "This Idempotency-Key was used for another request.", "Use a fresh key, or repeat the first request unchanged."
    ),
    "too_many_in_flight": Reason("Too many jobs of the organisation are waiting.", "Wait until some are done."),
    "too_many_today": Reason("The organisation has asked for its daily number.", "Go on tomorrow (UTC)."),
    "unavailable": Reason("Pigi cannot do this at the moment.", "Send the same request again in a few seconds."),
    "not_ready": Reason("A part of Pigi is not at work.", "Jobs are kept and will be done; 'checks' shows which part."),
}


def explain(code: str) -> Reason:
    """The reason behind ``code``; an unknown code is a programming error and raises KeyError."""
    return REASONS[code]
