"""What legal holds are refused for."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

HOLDS: Final[dict[str, Reason]] = {
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
}
