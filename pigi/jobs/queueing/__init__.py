"""Queueing: asking for a job, concurrency limits, and notifying workers through Redis."""
