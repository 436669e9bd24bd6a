"""What Pigi knows of itself: where data is, and how to look whether any is left."""
