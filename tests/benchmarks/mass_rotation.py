"""Five hundred access keys rotated by one bulk action: beside a bare pool of ten threads, and within AWS's limit.

The portal makes the new keys and seals their secrets; making the old ones inactive and deleting them is their owners'
to do, once they have seen the new ones work. The pool does all four calls for each at once, as scripts do.
"""

from tests.benchmarks.report import Measurement, load, write
from tests.benchmarks.throughput import Case

COUNT, WORKERS, LATENCY_MS = 500, 4, 20.0
# What AWS takes each second in the second part; more it answers with "Throttling".
PACE, BURST = 10, 20
AT_MOST, AT_LEAST = 3.0, 0.9


def main() -> None:
    """Print the table and write the file."""
    write("mass_rotation", [_against_the_pool(), _throttled()], database="sqlite")


def _against_the_pool() -> Measurement:
    pool = Case(LATENCY_MS, 0, how="rotate-pool", count=COUNT).run()
    portal = Case(LATENCY_MS, WORKERS, how="rotate", count=COUNT).run()
    note = (
        f"{COUNT} keys: portal {portal['seconds']:.1f} s for {portal['calls']:.0f} calls, pool {pool['seconds']:.1f} s "
        f"for {pool['calls']:.0f}; the page told something new {portal['news']:.0f} times; load {load()}"
    )
    ratio = portal["seconds"] / pool["seconds"]
    return Measurement("500 keys: portal / pool of ten threads, 20 ms away", "x", [ratio], AT_MOST, note=note)


def _throttled() -> Measurement:
    settings = {"AWS_CALLS_PER_SECOND": str(PACE), "AWS_CALLS_BURST": str(BURST)}
    told = Case(0.0, WORKERS, how="rotate", count=COUNT, settings=settings, calls_per_second=PACE).run()
    share = (told["calls"] - BURST) / told["seconds"] / PACE
    note = (
        f"{told['calls']:.0f} calls in {told['seconds']:.1f} s, {told['throttled']:.0f} were throttled; looked "
        f"at every 2 s, the page told something new {told['news']:.0f} of {told['looks']:.0f} times; load {load()}"
    )
    return Measurement("500 keys: share used of 10 calls each second", "x", [share], AT_LEAST, at_least=True, note=note)


if __name__ == "__main__":
    main()
