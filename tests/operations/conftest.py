"""The fixtures of jobs."""

from __future__ import annotations

from tests.support.job_fixtures import application, closing_trial, crowd, hands, redis_server, ringing, stripe, trial

__all__ = ["application", "closing_trial", "crowd", "hands", "redis_server", "ringing", "stripe", "trial"]
