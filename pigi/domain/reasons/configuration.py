"""What projects, resources and their drafts are refused for."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

CONFIGURATION: Final[dict[str, Reason]] = {
    "secret_found": Reason(
        "Something looks like a secret, and Pigi keeps none.",
        "Put a secret slot in its place: 'errors' says where; then change the secret, since it was sent. If a value is "
        "an example, send the same with its 'example' in the header Pigi-Examples.",
    ),
    "name_taken": Reason("The name is in use here.", "Choose another, or archive what has it."),
    "archived": Reason("It, or the project that it is in, is archived.", "Unarchive it to change it."),
    "too_many_projects": Reason("The organisation has as many projects as it may.", "Archive one that is not used."),
    "too_many_resources": Reason("The project has as many resources as it may.", "Archive one that is not used."),
    "too_many_kept": Reason(
        "The organisation has as many of these as it may, archived ones included.",
        "Have an owner delete archived ones for good: the page 'Storage' lists them. Nothing was changed.",
    ),
    "not_archived": Reason("It is in use, and only what is archived is deleted for good.", "Archive it first."),
    "configuration_held": Reason(
        "A legal hold keeps the organisation's configuration.", "Ask the operator, who can say until when."
    ),
    "plan_limit": Reason(
        "The organisation's plan does not allow more of this.",
        "'what' names the limit, 'used' and 'limit' say how far it is used. If there is a Retry-After, wait as long. "
        "For bytes, have an owner delete archived resources for good; for the rest, archive resources, remove members "
        "or revoke invitations that are not needed. Or have an owner choose another plan on the billing page, or ask "
        "the operator. Nothing was changed, and nothing is lost.",
    ),
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
        "The draft breaks rules that nothing may break.",
        "Correct what 'errors' lists: accept it with its content edited (`content`).",
    ),
}
