"""How old keys may become, and what of a rotation waits: the periods of promise P20, in one place."""

from __future__ import annotations

from datetime import timedelta

DATA_KEY_AGE = timedelta(days=365)
"""An organisation's data key that is older is due to be renewed."""
PROVIDER_KEY_AGE = timedelta(days=365)
"""A provider's key that is in use for longer should be replaced by whoever runs the service."""
WARNED_BEFORE = timedelta(days=30)
"""How long before that a provider's key is warned of."""
ROTATION_TIME = timedelta(days=14)
"""What a rotation may take after it is due, or was begun: by then it is one that hangs."""
KEPT_EMPTY = timedelta(days=1)
"""How long a data key is kept after nothing is sealed with it any more.

A backup copies the organisations' databases before the one with the keys and may take hours, and what it copied first
must find its key in what it copies last. It is also far longer than another process goes on sealing with the old key.
"""
DUE_IN_A_RUN = 200
"""How many data keys one run renews at most, the oldest first: so that a year's worth does not come on one night."""

WAITING: dict[str, str] = {
    "links in mails": "until they have ended: a week at most",
    "links to downloads": "until they have ended",
    "answers to repeated requests (Idempotency-Key)": "a day",
    "throttles": "are forgotten, so buckets are full once more",
    "hashes of addresses in the log of mails": "are swept with the log, and nothing looks them up by one key alone",
}
"""What under an old key is not written anew, and how long it counts; while the old key is there, all of it does."""
