"""Tools for developing Pigi: nothing here runs in production, and nothing of Pigi imports it."""
