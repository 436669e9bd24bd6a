"""Databases: tables, sessions, migrations, sealing and keys; the one place that knows SQLite from PostgreSQL."""
