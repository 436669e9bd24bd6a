"""The keys of one provider: while one replaces another both may be set, and the next is tried when one is refused.

So a key is replaced without a gap: add the new one, end the old one at the provider, take it away (promise P20).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from pigi.settings import listed

if TYPE_CHECKING:
    from pigi.ports import KeyNews

REFUSALS: Final = frozenset({401, 403})
"""The statuses by which a provider refuses who asks (RFC 9110, sections 15.5.2 and 15.5.4): nothing was done."""
REMEMBERED_SECONDS: Final = 600.0
"""How long a refused key comes after the others: long enough to cost hardly a request, and short enough that one which
is mended at the provider counts again without a restart."""


class ProviderKeys:
    """The keys that a setting holds, parted by commas. Any number of threads may share it.

    ``news`` hears of each refusal, and of the first answer that a key got here or got again.
    """

    def __init__(self, setting: str, text: str, news: KeyNews | None = None) -> None:
        self._setting = setting
        self._keys = listed(text)
        self._news = news
        self._lock = threading.Lock()
        self._refused: dict[str, float] = {}
        self._accepted: set[str] = set()

    def in_turn(self) -> list[str]:
        """Each key once, in the order in which to try them: those that were refused lately last."""
        since = time.monotonic() - REMEMBERED_SECONDS
        with self._lock:
            return sorted(self._keys, key=lambda key: self._refused.get(key, since) > since)

    def refused(self, key: str) -> None:
        """The provider refused it."""
        with self._lock:
            self._refused[key] = time.monotonic()
            self._accepted.discard(key)
        if self._news is not None:
            self._news.refused(self._setting, key)

    def accepted(self, key: str) -> None:
        """The provider did what was asked with it."""
        if key in self._accepted:
            return
        with self._lock:
            self._refused.pop(key, None)
            self._accepted.add(key)
        if self._news is not None:
            self._news.accepted(self._setting, key)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"<{len(self._keys)} of {self._setting}>"
