"""How Celery's queues and its clock are laid out."""

from kombu import Queue

# An unacknowledged task comes back within a minute or two, and the longest task must be over by then.
BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    # A broker that lets one in and says nothing must not hold a request; the worker's own reads come back each second.
    "socket_timeout": 5,
}

TASK_QUEUES = [Queue("interactive"), Queue("bulk"), Queue("import")]

# Beat is the net: what the doorbell forgot, these sweeps find.
BEAT_SCHEDULE = {
    "sweep-deliveries": {"task": "portal.ledger.tasks.sweep", "schedule": 10.0},
    "import-accounts": {"task": "accounts.tasks.import_due_accounts", "schedule": 60.0, "options": {"queue": "import"}},
}
