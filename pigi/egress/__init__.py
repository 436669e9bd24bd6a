"""Outgoing connections: one list of whom a process may connect to, and a guard that refuses everything else."""

from __future__ import annotations

from pigi.egress.destinations import Destination, destinations_of
from pigi.egress.guard import EgressRefused, Guard, install, uninstall

__all__ = ["Destination", "EgressRefused", "Guard", "destinations_of", "install", "uninstall"]
