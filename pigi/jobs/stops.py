"""Why a running job stops before its end. Not errors: nothing went wrong."""

from __future__ import annotations


class Stop(Exception):  # noqa: N818 - see the module's docstring
    """Base of all; an operation lets it pass."""


class Cancelled(Stop):
    """Somebody asked for it."""


class Fenced(Stop):
    """The organisation was deleted or restricted after this was asked."""


class LeaseLost(Stop):
    """Another worker has the job by now; this one may change nothing more."""


class HandBack(Stop):
    """The worker is stopping; another shall go on."""
