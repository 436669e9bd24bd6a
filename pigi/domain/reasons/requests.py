"""Why a request is refused, whatever it is about."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

REQUESTS: Final[dict[str, Reason]] = {
    "malformed_request": Reason("The request cannot be read.", "Correct the request; the API document shows its form."),
    "headers_too_large": Reason(
        "The request's headers are too many or too long.",
        "Send at most 100, of 32 KiB together. In a browser, deleting this site's cookies helps.",
    ),
    "request_too_slow": Reason(
        "The request took too long to arrive.", "Send its first line and all headers within 10 seconds."
    ),
    "too_many_at_once": Reason(
        "Too many requests of your network are being answered.",
        "Send the same request again in a few seconds, and fewer at a time.",
    ),
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
    "too_many_tries": Reason(
        "There were too many tries from where you are.",
        "Wait as long as Retry-After says. 'Forgot your password?' on the sign-in page works meanwhile.",
    ),
    "https_required": Reason(
        "Pigi speaks HTTPS only, and this came in the clear.",
        "Use the https address; change any password or key that was sent.",
    ),
    "forbidden": Reason(
        "You may not do this here.", "Ask somebody whose role allows it, such as an owner, or use a key with the scope."
    ),
    "account_deleting": Reason(
        "You deleted this account.",
        "Restore it with POST /api/v1/me/restore or on the account page, while that can be done.",
    ),
    "sole_owner": Reason(
        "Organisations would be left without an owner.",
        "Make somebody else an owner of each that 'organisations' names, or list its id to have it deleted too.",
    ),
    "csrf_refused": Reason(
        "The request does not show that it comes from Pigi's own pages.",
        "Reload the page and try again; programs send the XSRF-TOKEN cookie's value as X-XSRF-TOKEN.",
    ),
    "processing_restricted": Reason(
        "You restricted the processing of your data.", "End the restriction on the page /privacy, if you want this."
    ),
    "processing_objected": Reason(
        "You objected to this use of your data.", "Take the objection back on the page /privacy, if you want this."
    ),
    "request_received_unfit": Reason(
        "The request cannot have come then.", "Give the day on which it came: today, or an earlier one."
    ),
    "request_over": Reason("The request was answered or withdrawn.", "Make another one if something is still open."),
    "request_extended": Reason(
        "The request cannot be extended.", "Answer it: it was extended before, or its first month is over."
    ),
    "ticket_over": Reason("The message was answered or closed.", "Write to its sender by other means if need be."),
    "attestation_period": Reason(
        "Nobody can answer for something until then.", "Give a day that is not over, and at most a year away."
    ),
    "too_many_privacy_requests": Reason("You asked too often about your data.", "Wait as long as Retry-After says."),
    "organisation_closed": Reason(
        "The organisation was deleted or restricted.", "Nothing new can be requested; an owner can say why."
    ),
    "not_found": Reason(
        "There is no such thing, or it is not yours.", "Check the address, and who is signed in or whose key it is."
    ),
    "method_not_allowed": Reason(
        "This address does not take this method.", "Use a method that the Allow header lists."
    ),
    "not_retryable": Reason(
        "Only a failed job can be retried, while Pigi still holds what it needs.",
        "Look at the job's state; ask anew if it was buried.",
    ),
    "idempotency_undecided": Reason(
        "The first request with this Idempotency-Key is still being done.", "Send the same request again in a moment."
    ),
    "body_too_large": Reason(
        "The body is too large.", "Send at most 64 KiB, or what the API document says where a resource's content goes."
    ),
    "body_too_slow": Reason(
        "The body took too long to arrive.", "Send it whole within 10 seconds, or 64 KiB a second."
    ),
    "media_type_unsupported": Reason("The body is not declared as JSON.", "Send 'Content-Type: application/json'."),
    "invalid": Reason("The request does not have the right form.", "Correct what 'errors' lists and send it again."),
    "invalid_name": Reason("The name cannot be used.", "Choose one of 1 to 120 visible characters, on one line."),
    "invalid_days": Reason("The key cannot live so long.", "Choose 1 to 365 days."),
    "purpose_required": Reason(
        "Retrying this job needs its purpose again, which Pigi erased when it ended.",
        'Whoever sees the job in its organisation sends {"purpose": …} to /api/v1/jobs/ID/retry; an operator cannot.',
    ),
    "idempotency_key_reused": Reason(
        "This Idempotency-Key was used for another request.", "Use a fresh key, or repeat the first request unchanged."
    ),
    "too_many_in_flight": Reason("Too many jobs of the organisation are waiting.", "Wait until some are done."),
    "too_many_today": Reason("No more of these may be requested today.", "Go on tomorrow (UTC)."),
    "unavailable": Reason("Pigi cannot do this at the moment.", "Send the same request again in a few seconds."),
    "not_ready": Reason("A part of Pigi is not working.", "Jobs are kept and will be done; 'checks' shows which part."),
    "link_over": Reason(
        "The link was used, is too old, or was never sent.",
        "Ask for a new one: register again, use 'Forgot your password?' on the sign-in page, ask whoever invited you, "
        "or change your address once more.",
    ),
}
