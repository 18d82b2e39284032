"""What time it is: the database's, since the clocks of workers drift apart and leases must not."""

from datetime import UTC, datetime

from django.db import connection

# SQLite's own clock has milliseconds and is text; it runs on the host of whoever asks.
_QUERY = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def database_now() -> datetime:
    """The database's time, in UTC, advancing within a transaction too."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY[connection.vendor])
        (now,) = cursor.fetchone()
    if isinstance(now, str):
        return datetime.fromisoformat(now).replace(tzinfo=UTC)
    return now.astimezone(UTC)
