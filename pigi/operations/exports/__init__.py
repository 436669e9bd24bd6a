"""Exports: a copy of an organisation's configuration, or of what is held about a person."""
