"""Real servers that come along with Pigi, for machines that have none."""
