"""What was measured, as a table and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from django.db import connection

from tests import services

FOLDER = services.ROOT / "var" / "bench"


@dataclass(frozen=True)
class Measurement:
    """Samples of one thing; `limit` is what the design asks of the 95th percentile, where it asks for something."""

    name: str
    unit: str
    samples: Sequence[float]
    limit: float | None = None
    at_least: bool = False
    note: str = ""
    p50: float = field(init=False)
    p95: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "p50", percentile(self.samples, 50))
        # Where more is better, the bad end is the low one.
        object.__setattr__(self, "p95", percentile(self.samples, 5 if self.at_least else 95))

    @property
    def verdict(self) -> str:
        """Whether it is within its limit, in words."""
        if self.limit is None:
            return ""
        is_within = self.p95 >= self.limit if self.at_least else self.p95 <= self.limit
        return "within" if is_within else "OVER"


def percentile(samples: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def publish(name: str, measurements: Sequence[Measurement]) -> None:
    """Print the table, and write `var/bench/<name>.json` with all samples, from inside a portal."""
    write(name, measurements, database=connection.vendor)


def write(name: str, measurements: Sequence[Measurement], *, database: str) -> None:
    """The same from outside one."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    facts = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": load(),
        "database": database,
        "measurements": [asdict(measurement) | {"verdict": measurement.verdict} for measurement in measurements],
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(facts, indent=2) + "\n")
    sys.stdout.write(table(f"{name} ({database}, {os.cpu_count()} cores, load {load()})", measurements))


def load() -> str:
    """How much the machine had to do in the last minute: beside many others, seconds say little."""
    return f"{os.getloadavg()[0]:.1f}"


def table(title: str, measurements: Sequence[Measurement]) -> str:
    """The measurements in columns."""
    head = ("", "unit", "n", "p50", "bad end", "limit", "")
    rows = [head, *(_row(measurement) for measurement in measurements)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in {0, 1} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([title, *lines, *(f"  {one.name}: {one.note}" for one in measurements if one.note)]) + "\n\n"


def _row(measurement: Measurement) -> tuple[str, ...]:
    limit = "" if measurement.limit is None else _number(measurement.limit)
    return (
        measurement.name,
        measurement.unit,
        str(len(measurement.samples)),
        _number(measurement.p50),
        _number(measurement.p95),
        limit,
        measurement.verdict,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
