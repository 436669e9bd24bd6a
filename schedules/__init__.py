"""Celery beat: its entry point, its scheduler and the timetable."""
