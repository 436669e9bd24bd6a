"""Execution: claiming a job, running its body, recording what became of it."""
