"""A mail server that delivers nothing, for development and tests without a real one."""
