"""The processes of one installation, kept running by one supervisor: `pigi up`."""
