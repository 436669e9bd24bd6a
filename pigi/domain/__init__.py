"""Rules as data and pure functions: states, access, plans, retention, mail, resources. No I/O, no framework."""
