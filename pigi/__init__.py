"""The core package: everything true about Pigi, knowing none of the entry points (web, worker, schedules)."""
