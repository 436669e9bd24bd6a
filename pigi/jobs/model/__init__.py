"""The job itself: its transitions, its claim, and what may be shown of it."""
