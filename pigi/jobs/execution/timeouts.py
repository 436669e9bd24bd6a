"""The engine's timeouts, argued in one place; tests/architecture/test_lease_limits.py holds their relations.

A lease says that nobody else may take the job. Its worker must have done, or given up, whatever it began under the
lease before another may begin it again. So, with everything in seconds:

- A lease is extended every `HEARTBEAT_SECONDS`. The heartbeat's thread wakes every `LOOK_SECONDS`, so when the database
  goes away, the newest extension is at most the sum of both old.
- What a worker must write while the database is away is tried again for `DATABASE_SECONDS`: a restart or a failover
  takes less. When that is over, the lease must still hold, or another worker could have begun the same effect while
  this one was about to record it as done. Hence ``LOOK + HEARTBEAT + DATABASE < LEASE``.
- A lease as short as that allows: for so long nobody takes over from a worker that was killed.
- At the time limit of its kind a body is interrupted, and what became of it is written, which may take
  `DATABASE_SECONDS`. The child is killed only after that. Hence ``DATABASE < HARD_LIMIT``.
- Somebody who cancels waits at most 3 s for a body that waits: one look, and what the gateway needs to hear of it. A
  look is a read by primary key; a heartbeat is a write that waits for the disk (on SQLite 0.7 ms and 7 ms as measured
  on a busy machine, of CPU 0.15 and 0.7), so it is the rarer of the two.
"""

from __future__ import annotations

LOOK_SECONDS = 1.0
"""How often a worker looks whether its job is to be cancelled, or was lost."""
HEARTBEAT_SECONDS = 3.0
"""How often a lease is extended."""
DATABASE_SECONDS = 15.0
"""How long a worker waits for a database that is away before it gives up a write."""
LEASE_SECONDS = 20.0
"""How long a claim holds without a heartbeat."""
HARD_LIMIT_SECONDS = 20
"""What a body gets beyond its time limit before its child is killed."""
