"""Pigi's house: everything true about Pigi, knowing none of its doors (web, worker, schedules)."""
