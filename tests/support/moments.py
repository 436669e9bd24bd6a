"""The moments at which `tests.support.held_worker` can stop: apart, since importing that changes the process."""

from __future__ import annotations

MOMENTS = ("claimed", "begun", "stored", "drafted", "finishing", "closed")
"""After the claim; an effect begun, not yet had; answer stored, not recorded as done; draft stored, not recorded as
done; all done but the end; cleaned up but not yet ended."""
