"""The fixtures of jobs."""

from __future__ import annotations

from tests.support.job_fixtures import (
    application,
    cleanup_trial,
    crowd,
    redis_server,
    trial,
    with_redis,
    worker_context,
)

__all__ = ["application", "cleanup_trial", "crowd", "redis_server", "trial", "with_redis", "worker_context"]
