"""The job engine. See docs/architecture.md."""
