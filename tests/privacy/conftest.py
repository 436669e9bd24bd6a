"""The fixtures of jobs."""

from __future__ import annotations

from tests.support.job_fixtures import application, redis_server, with_redis

__all__ = ["application", "redis_server", "with_redis"]
