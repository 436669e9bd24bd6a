"""What every page shares: its frame, its words, its query, its assets."""
