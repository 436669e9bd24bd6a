"""A stand-in for Anthropic's Messages API, for development and tests without a key."""
