"""Hostile input for all that reads a stranger's text: ``python -m benchmarks.parsers``; a share is in the suite."""
