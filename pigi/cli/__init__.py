"""The command line: `pigi`."""
