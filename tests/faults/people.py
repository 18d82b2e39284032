"""The people of the long fault run: they decide for a while, wait until all is quiet, and compare.

Run by `tests.faults.chaos`, in a process whose environment names the portal's servers.
"""

import importlib
import sys

import django


def main() -> int:
    """Nothing where ledger, rows and AWS agree; else 1, and what differs is printed."""
    django.setup()
    # Only now: it imports models.
    comparison = importlib.import_module("tests.faults.decisions").run(seconds=int(sys.argv[1]))
    for line in comparison.differences:
        sys.stdout.write(f"DIFFERS: {line}\n")
    sys.stdout.write(f"{comparison.summary}\n")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
