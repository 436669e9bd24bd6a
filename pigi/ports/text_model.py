"""The model that writes drafts, as operations see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, repr=False)
class DraftRequest:
    """All that may leave for the model (P14): a fixed instruction, a name and a purpose.

    ``repr`` is off so that no traceback or log line can show the text.
    ``previous`` and ``findings`` are set in the repair turn only: the model's own first answer and the
    fixed sentences of the rules it broke.
    """

    instruction: str
    schema: Mapping[str, object]
    name: str
    purpose: str
    previous: str | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class DraftAnswer:
    """What the model said: ``text`` is the JSON as it came; tokens are the provider's own count."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    request_id: str


class TextModel(Protocol):
    """A model that writes one draft at a time."""

    def write_draft(
        self, request: DraftRequest, on_text: Callable[[str], None], check: Callable[[], None]
    ) -> DraftAnswer:
        """Write a draft, calling ``on_text`` with each piece of text as it streams.

        ``check`` is called several times a second while nothing comes: while connecting, before the first byte, in
        the middle of the stream. Both are called from the caller's thread. An exception that one of them raises ends
        the call at once, whatever the provider does, and is raised unchanged: that is how a cancelled job stops.

        Raises:
            Temporary: ``provider_busy`` (429 and 529, with the provider's Retry-After if it gave a
                usable one), ``provider_unreachable``, ``provider_failed`` (5xx), ``stalled`` (no
                bytes within the read limit), ``stream_cut`` (the stream ended before its end event).
            Permanent: ``refused``, ``draft_too_long`` (max_tokens), ``provider_rejected`` (400, 413, 422),
                ``provider_unavailable`` (401, 403), ``provider_credit`` (402), ``provider_model`` (404),
                ``provider_quota`` (a spending limit), ``answer_empty``, ``stopped_early`` (any other stop reason).
        """
        ...
