"""Every Celery setting that the processes share, each with its reason.

The row is the job and a message only notifies of it (docs/decisions/0001-the-row-is-the-job.md). So everything
in Celery that makes messages dear is off: acknowledgement, results, events, remote control. Recovery is the
pump's, by the table.
"""

from kombu.entity import Exchange, Queue

from pigi.jobs.queueing.notifications import PREFIX
from pigi.jobs.queueing.transport import address_for_kombu, install
from pigi.jobs.queues import QUEUES
from pigi.settings import get_settings

_settings = get_settings()

# kombu has its own ways with unix sockets and certificates; see there.
broker_url = address_for_kombu(_settings.redis_url)
# Survives a queue entry that is not a message; see the module.
install()
broker_transport_options = {
    # No unacked list, no visibility timeout, no redelivery loops: a lost or doubled notification is harmless.
    "ack_emulation": False,
    "global_keyprefix": PREFIX,
    # A blackholed Redis must fail, not hang. BRPOP itself is watched by the health check below.
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # One list a queue instead of four priority buckets: order is the table's affair.
    "priority_steps": [0],
}
# Redis may come later than the worker, and may go away for hours.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# Without a bound a thread that wants a connection can wait for ever.
broker_pool_acquire_timeout = 2

# Results, errors and states are in the job's row; in Redis they would be copies of facts, kept a day.
task_ignore_result = True
result_backend = None
task_store_errors_even_if_ignored = False

# The message is the job's id as JSON; nothing else is read.
task_serializer = "json"
accept_content = ["json"]

# Early acknowledgement: with no unacked list there is nothing to be late for.
task_acks_late = False
# Take a message only when a child is free, so that none waits in a busy worker's memory.
worker_prefetch_multiplier = 1
worker_disable_prefetch = True

# A lost connection to Redis says nothing about the job at hand: its lease is in the database.
worker_cancel_long_running_tasks_on_connection_loss = False
# SIGTERM is Celery's warm shutdown; worker/lifecycle.py bounds it by handing work back. A cold one (SIGQUIT)
# says that it stops only after this wait, so no job can be told before: hence short, and hence not the default.
worker_soft_shutdown_timeout = 2.0

# Leaks of years, not of days; a child also goes when it grew beyond 400 MB (the unit is KB).
worker_max_tasks_per_child = 20_000
worker_max_memory_per_child = 400_000

# Events, remote control and mingling put host names, arguments and reply keys into Redis.
worker_send_task_events = False
task_send_sent_event = False
worker_enable_remote_control = False
beat_enable_remote_control = False

# Logging is Pigi's own: structured, and without arguments.
worker_hijack_root_logger = False
worker_redirect_stdouts = False

enable_utc = True
timezone = "UTC"

# Beat ticks once a second and reads the table; see schedules/beat.py.
beat_scheduler = "schedules.beat:Pump"
beat_max_loop_interval = 1

# A queue that nobody consumes is a mistake, so none comes into being by a typing error.
task_create_missing_queues = False
task_default_queue = "control"
task_queues = [Queue(name, Exchange(""), routing_key=name) for name in QUEUES]  # type: ignore[no-untyped-call]
