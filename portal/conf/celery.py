"""How Celery's queues and its clock are laid out."""

from typing import Any

from kombu import Queue

# An unacknowledged task comes back within a minute or two, and the longest task must be over by then.
BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # In the order in which a worker was given its queues: it takes from the second only where the first is empty.
    "queue_order_strategy": "priority",
    "socket_connect_timeout": 2,
    # A broker that lets one in and says nothing must not hold a request; the worker's own reads come back each second.
    "socket_timeout": 5,
}

TASK_QUEUES = [Queue("interactive"), Queue("bulk"), Queue("import")]

SWEEP = "portal.ledger.tasks.sweep"


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Beat is the net: what the doorbell forgot, these sweeps find. One that nobody took in time is void."""
    imports = {"task": "accounts.tasks.import_due_accounts", "schedule": 60.0}
    minutely = {"schedule": 60.0, "options": {"expires": 60.0}}
    return {
        "sweep-deliveries": {"task": SWEEP, "schedule": sweep_seconds, "options": {"expires": sweep_seconds}},
        "close-stranded-connections": {"task": "accounts.tasks.close_stranded_connections", **minutely},
        "send-invitations": {"task": "accounts.tasks.send_unsent_invitations", **minutely},
        "tend-bulk-changes": {"task": "accounts.tasks.tend_bulk_changes", **minutely},
        "follow-offboardings": {"task": "accounts.tasks.follow_offboardings", **minutely},
        "end-group-grants": {"task": "accounts.tasks.end_group_grants", **minutely},
        "expire-sealed-secrets": {"task": "accounts.tasks.expire_sealed_secrets", **minutely},
        "follow-rotations": {"task": "accounts.tasks.follow_rotations", **minutely},
        "tend-scheduled-rotations": {"task": "accounts.tasks.tend_scheduled_rotations", **minutely},
        "remind-of-keys": {"task": "accounts.tasks.remind_of_keys", "schedule": 600.0, "options": {"expires": 600.0}},
        "forget-used-signatures": {"task": "accounts.tasks.forget_used_signatures", **minutely},
        "send-rotation-asks": {"task": "accounts.tasks.send_rotation_asks", **minutely},
        "follow-mfa-registrations": {"task": "accounts.tasks.follow_mfa_registrations", **minutely},
        "expire-requests": {"task": "accounts.tasks.expire_requests", **minutely},
        "import-accounts": {**imports, "options": {"queue": "import", "expires": imports["schedule"]}},
    }
