"""Every code that Pigi shows, with what happened and what to do next, written once.

Codes are wire names: they never change and are never reused. Sentences may improve.
"""

from __future__ import annotations

from dataclasses import dataclass

from pigi.domain.import_reasons import IMPORTS
from pigi.domain.sign_in_reasons import SIGN_IN


@dataclass(frozen=True)
class Reason:
    """``title`` says what happened; ``advice`` is the next step for whoever reads it."""

    title: str
    advice: str


AGAIN = "It is tried again by itself for a while; after that, ask again."

REASONS: dict[str, Reason] = {
    # Ends of jobs
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
    # The audit chain
    "audit_broken": Reason(
        "The audit chain does not hold together.",
        "Keep the database as it is and run `pigi audit verify`, which says what was done to which entry.",
    ),
    # Legal holds
    "hold_class_unfit": Reason(
        "No hold can be of this class.",
        "Name a class of which an organisation has records, as `pigi retention report` lists them; what belongs to "
        "people, to the installation or to nobody is never held, nor are prompts.",
    ),
    "hold_reason_unfit": Reason(
        "A hold needs its reason, on one line.", "Say in up to 500 characters why these records must be kept."
    ),
    "hold_review_unfit": Reason(
        "A hold is reviewed within 90 days.", "Name a day from today on and at most 90 days away."
    ),
    "hold_needs_another": Reason(
        "A hold counts once another operator approves it.", "Ask somebody else who runs Pigi to approve it."
    ),
    "hold_over": Reason(
        "The hold is not in a state for this.", "Read it again: it was approved or released meanwhile."
    ),
    # The stores
    "tenant_missing": Reason(
        "The organisation has no database or no key.", "Wait a moment if it is new; it may be deleted."
    ),
    "search_incomplete": Reason(
        "A place where data may be could not be looked at, so nobody can say yet that nothing is left.", AGAIN
    ),
    "tenants_busy": Reason("Too many organisations are being worked for at once.", "Try again later."),
    "key_missing": Reason(
        "The installation lacks the key that opens this.", "Tell the operator: put it back in the keyring."
    ),
    "seal_broken": Reason(
        "What was stored cannot be opened.", "Tell the operator: it was altered, moved or its key is gone."
    ),
    "tenant_behind": Reason(
        "The organisation's database is being brought up to date.", "Try again later; an operator runs `pigi migrate`."
    ),
    # Deletion
    "broker_away": Reason("Redis did not answer.", "Nothing: it is tried again."),
    "deletion_waiting": Reason(
        "Something is still at work for what is deleted.", "Nothing: it ends in minutes, and the deletion goes on."
    ),
    "deletion_left_over": Reason(
        "The final search found something that should be gone.",
        "Look at the deletion's steps and tell the maintainers; it is searched again, and there is no receipt before.",
    ),
    "files_away": Reason(
        "The store of files is away or full.", "Try again later; if it repeats, tell the operator: FILES_URL names it."
    ),
    # Exports
    "reason_required": Reason(
        "An operator's export needs a reason.", "Say on one line why; it stays in the audit log for two years."
    ),
    "export_gone": Reason("The export was removed before it was written.", "Ask for a new one."),
    "export_not_ready": Reason(
        "The export is still being prepared.", "Follow its job, and fetch the file when that has succeeded."
    ),
    "export_failed": Reason(
        "The export could not be prepared.", "Its job says why. Retry that, or ask for a new export."
    ),
    "export_expired": Reason("The export's file was removed after its 7 days.", "Ask for a new export."),
    "range_unsatisfiable": Reason(
        "The file does not reach so far.", "Ask for a range within the size that Content-Range names, or for all of it."
    ),
    "too_many_downloads": Reason("Many files are being fetched at the moment.", "Come back after a while."),
    # Backups
    "backup_recipient_missing": Reason(
        "There is no key to make backups for.",
        "Run `pigi backups keygen --to FILE` on a machine that does not run Pigi, keep the file there, and set "
        "PIGI_BACKUP_RECIPIENT to what it prints.",
    ),
    "backup_recipient_invalid": Reason(
        "PIGI_BACKUP_RECIPIENT is no public key of age.",
        "Set it to what `pigi backups keygen` printed: it begins with age1.",
    ),
    "backup_incomplete": Reason(
        "A backup was made, but some organisations are not in it.",
        "The error log and `pigi backup` name them; see whether their databases are there and sound.",
    ),
    "backup_identity_invalid": Reason(
        "The file holds no private key of age.",
        "Give the one that `pigi backups keygen` wrote: a line of it begins with AGE-SECRET-KEY-1.",
    ),
    "backup_identity_wrong": Reason(
        "The backup was encrypted for another key.",
        "Look for the private key that belonged to PIGI_BACKUP_RECIPIENT when the backup was made.",
    ),
    "backup_damaged": Reason(
        "This is no backup of Pigi, or it was altered or cut off.", "Nothing was restored. Take another backup."
    ),
    "backup_unsigned": Reason(
        "No key of this keyring signed the backup.",
        "Set PIGI_SECRET_KEYS to the keyring of the installation that made it; without that nothing in it can be read.",
    ),
    "backup_key_missing": Reason(
        "The backup needs a key that is not in this keyring.",
        "Nothing was restored. Put the key that was removed since back behind the others in PIGI_SECRET_KEYS.",
    ),
    "backup_newer": Reason(
        "A later version of Pigi made the backup.", "Install that version, or a later one, and restore with it."
    ),
    "backup_other_engine": Reason(
        "The backup is of another kind of database.",
        "Set DATABASE_URL and TENANT_DATABASE_URL to what the backup was made of, SQLite or PostgreSQL.",
    ),
    "backup_too_old": Reason(
        "The backup is older than backups are kept, 21 days.",
        "Restore a later one. What such an old one holds should have been gone by now, and nothing may bring it back.",
    ),
    "restore_not_empty": Reason(
        "The databases that the settings name are in use.",
        "A restore overwrites nothing: set PIGI_HOME, DATABASE_URL and TENANT_DATABASE_URL to places where there is "
        "nothing yet.",
    ),
    "erasures_missing": Reason(
        "The erasure log is not where the settings say, so what was deleted since the backup would come back.",
        "Set BACKUPS_URL and FILES_URL to the stores of the installation that made the backup, or put their folder "
        "'erasures' there. Only if it is lost for good: --erasures-lost.",
    ),
    "restored": Reason(
        "The installation was restored from a backup; this had not ended when the backup was made.",
        "It may have been done since. Look, and ask again for what you miss.",
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
    # The mail server
    "mail_server_unreachable": Reason("The mail server could not be reached.", "Nothing: the mail is tried again."),
    "mail_server_busy": Reason("The mail server asked Pigi to wait.", "Nothing: the mail is tried again."),
    "mail_server_untrusted": Reason(
        "The mail server offers no TLS, or a certificate that does not hold.",
        "Tell the operator: SMTP_URL or SMTP_CA_FILE must fit the server; the mail is tried again.",
    ),
    "mail_server_refuses_us": Reason(
        "The mail server turns Pigi away.",
        "Tell the operator: SMTP_URL's user and password or MAIL_FROM must fit the server; the mail is tried again.",
    ),
    "mail_unconfigured": Reason(
        "No mail server is set up.", "Tell the operator: set SMTP_URL and MAIL_FROM; the mail is tried again."
    ),
    "mail_refused": Reason("The mail was refused.", "Check the address, then ask for the mail again."),
    "mail_malformed": Reason("The mail could not be written.", "Check the address, then ask for the mail again."),
    "mail_unconfirmed": Reason(
        "The mail was handed over, and no answer came.", "Nothing: it is sent again, and may come twice."
    ),
    "mail_unknown": Reason(
        "The mail was handed over, and no answer came: it may have been delivered.",
        "Ask for the mail again if it has not come.",
    ),
    "mail_not_essential": Reason(
        "The recipient wants no mail that is not essential.", "Nothing: whoever restricts processing is not written to."
    ),
    "mail_moot": Reason("What the mail was about is gone or done.", "Ask for the mail again if it is still wanted."),
    "draft_too_long": Reason("The draft grew beyond its limit.", "Ask for something smaller and try again."),
    "malformed": Reason("The model's answer was not a usable draft.", "Rephrase the purpose and try again."),
    "purpose_gone": Reason(
        "The purpose text is no longer held.", "Retry with the purpose; Pigi erases it when a job ends."
    ),
    # Stripe
    "billing_busy": Reason("Stripe is busy with something else.", AGAIN),
    "billing_unreachable": Reason("Stripe could not be reached.", AGAIN),
    "billing_failed": Reason("Stripe answered with an error.", AGAIN),
    "billing_refuses_us": Reason(
        "Stripe turns Pigi away.", "Tell the operator: STRIPE_API_KEY must fit the account, and have the rights for it."
    ),
    "billing_unconfigured": Reason("No payment provider is set up.", "Tell the operator: set STRIPE_API_KEY."),
    "billing_rejected": Reason(
        "Stripe did not accept the request.", "Tell the operator, with the job's id; `pigi billing check` may say why."
    ),
    "billing_price_unknown": Reason(
        "The organisation pays a price that Pigi knows no plan for.",
        "Tell the operator: add the price to STRIPE_PRICES, then sync again. What was bought before still applies.",
    ),
    "billing_customer_unknown": Reason(
        "Stripe does not know the organisation as a customer.",
        "Tell the operator: STRIPE_API_KEY is perhaps of another account or mode; nothing was changed.",
    ),
    "billing_moot": Reason(
        "This page is no longer needed: a newer one was requested, or too much time has passed.",
        "Open the billing page and ask again.",
    ),
    "billing_no_customer": Reason(
        "The organisation has bought nothing yet.", "Choose a plan first; then there is something to manage."
    ),
    "already_subscribed": Reason(
        "The organisation has a subscription.", "Change or end it on Stripe's page, which the billing page leads to."
    ),
    "plan_granted": Reason(
        "An operator gave the organisation its plan, so there is nothing to buy.",
        "Ask the operator, who can take it back with `pigi billing grant`.",
    ),
    "billing_off": Reason("This installation charges nobody.", "Nothing: everything may be used without a plan."),
    "webhook_refused": Reason(
        "This is not a fresh event that Stripe signed for this installation.",
        "Set STRIPE_WEBHOOK_SECRET to the endpoint's secret, and keep the clock right; live keys take live events.",
    ),
    # Why a job waits again
    "handed_back": Reason("A stopping worker gave the job back.", "Nothing: it goes on by itself."),
    "lease_lapsed": Reason("The worker went silent.", "Nothing: another worker takes over."),
    "retried_by_hand": Reason("Somebody retried the job.", "Nothing: it goes on by itself."),
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
    "too_many_tries": Reason(
        "There were too many tries from where you are.",
        "Wait as long as Retry-After says. A link that sets a new password, sent by mail, works meanwhile.",
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
        "The first request with this Idempotency-Key is still being done.", "Send the same request again in a moment."
    ),
    "body_too_large": Reason("The body is too large.", "Send at most 64 KiB; 256 KiB where a resource's content goes."),
    "body_too_slow": Reason("The body took too long to arrive.", "Send it whole within 10 seconds."),
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
    "too_many_today": Reason("No more of these may be requested today.", "Go on tomorrow (UTC)."),
    "unavailable": Reason("Pigi cannot do this at the moment.", "Send the same request again in a few seconds."),
    "not_ready": Reason("A part of Pigi is not working.", "Jobs are kept and will be done; 'checks' shows which part."),
    "link_over": Reason("The link was used, is too old, or was never sent.", "Ask for a new one."),
    # Organisations, members and keys
    "not_for_operators": Reason(
        "An operator's account belongs to no organisation.", "Sign in with an account of your own, or register one."
    ),
    "invalid_address": Reason("Mail cannot be sent to this address.", "Give one such as name@example.com."),
    "address_taken": Reason("The address has an account.", "Operators' accounts are apart: choose another address."),
    "not_restorable": Reason(
        "The organisation is not being deleted, or can no longer be restored.",
        "Read it: 'state' says which. An organisation can be restored for 7 days after its deletion was requested.",
    ),
    "last_owner": Reason("The organisation would have no owner.", "Make somebody else an owner first."),
    "already_member": Reason("Whoever has this address is a member.", "Change their role instead."),
    "invitation_for_another": Reason(
        "The invitation is for another address than the one you are signed in with.",
        "Sign out, then open the link again and sign in with the address that it was sent to.",
    ),
    "key_over": Reason("The key was revoked or has expired.", "Make a new key."),
    "too_many_keys": Reason("The organisation has as many live keys as it may.", "Revoke one that is not used."),
    # Configuration
    "secret_found": Reason(
        "Something looks like a secret, and Pigi keeps none.",
        "Put a secret slot in its place: 'errors' says where; then change the secret, since it was sent.",
    ),
    "name_taken": Reason("The name is in use here.", "Choose another, or archive what has it."),
    "archived": Reason("It, or the project that it is in, is archived.", "Unarchive it to change it."),
    "too_many_projects": Reason("The organisation has as many projects as it may.", "Archive one that is not used."),
    "too_many_resources": Reason("The project has as many resources as it may.", "Archive one that is not used."),
    "plan_limit": Reason(
        "The organisation's plan does not allow more of this.",
        "Archive resources, remove members or revoke invitations that are not needed; if there is a Retry-After, wait "
        "as long. Or have an owner choose another plan on the billing page. Nothing is lost.",
    ),
    **{code: Reason(*words) for code, words in IMPORTS.items()},
    **{code: Reason(*words) for code, words in SIGN_IN.items()},
    "precondition_required": Reason(
        "A change must say which revision it is based on.", "Read it first and send its ETag as If-Match."
    ),
    "precondition_failed": Reason(
        "It has changed since you read it.", "Read it again, make the change anew, and send the new ETag as If-Match."
    ),
    "draft_not_ready": Reason(
        "The draft is not finished.", "Wait until its job has succeeded; to give it up, cancel the job."
    ),
    "draft_gone": Reason("The draft was accepted or discarded before.", "Look in the project, or generate anew."),
    "draft_has_errors": Reason(
        "The draft breaks rules that nothing may break.", "Correct what 'errors' lists and save it as a resource."
    ),
}


def explain(code: str) -> Reason:
    """The reason behind ``code``; an unknown code is a programming error and raises KeyError."""
    return REASONS[code]
