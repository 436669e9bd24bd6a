"""What the model's provider, its answers and drafts say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

PROVIDER: Final[dict[str, Reason]] = {
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
    "malformed": Reason("The model's answer was not a usable draft.", "Rephrase the purpose and try again."),
    "purpose_gone": Reason(
        "The purpose text is no longer held.", "Retry with the purpose; Pigi erases it when a job ends."
    ),
}
