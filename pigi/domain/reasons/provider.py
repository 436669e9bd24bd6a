"""What the model's provider, its answers and drafts say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

MEND = "Only whoever runs Pigi can mend it, so tell them; nothing that you change helps. Ask again once it is mended."

PROVIDER: Final[dict[str, Reason]] = {
    "provider_busy": Reason("The model provider is too busy.", "Try again later."),
    "provider_unreachable": Reason("The model provider could not be reached.", "Try again later."),
    "provider_failed": Reason("The model provider answered with an error.", "Try again later."),
    "provider_rejected": Reason("The model provider does not accept what this installation sends.", MEND),
    "provider_unavailable": Reason("The installation's account with Anthropic cannot be used at the moment.", MEND),
    "provider_credit": Reason("The installation's account with Anthropic has no credit left.", MEND),
    "provider_quota": Reason("The installation's account with Anthropic has reached its spending limit.", MEND),
    "provider_model": Reason("Anthropic does not know the model that this installation is set to use.", MEND),
    "provider_unconfigured": Reason("This installation has no account with Anthropic, or names no model.", MEND),
    "stalled": Reason("The model stopped answering.", "Try again later."),
    "stream_cut": Reason("The model's answer was cut off on the way.", "Try again later."),
    "refused": Reason("The model declined to write this.", "Change the purpose and try again."),
    "draft_too_long": Reason("The draft grew beyond its limit.", "Ask for something smaller and try again."),
    "malformed": Reason(
        "The model's answer was not a usable draft, even after it was asked to repair it.",
        "Try again; if it repeats, say in the purpose more precisely what you want.",
    ),
    "answer_empty": Reason(
        "The model answered without writing anything.", "Try again; if it repeats, tell the operator."
    ),
    "stopped_early": Reason(
        "The model stopped before the draft was finished, and did not say why in a way that Pigi knows.",
        "Try again; if it repeats, tell the operator.",
    ),
    "purpose_gone": Reason(
        "The purpose text is no longer held.", "Retry with the purpose; Pigi erases it when a job ends."
    ),
}
