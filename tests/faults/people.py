"""The people of the long fault run: they decide for a while, wait until all is quiet, and compare.

Run by `tests.faults.chaos` as `python -m tests.faults.people SECONDS SEED FOLDER`, in a process whose environment names
the portal's servers. `FOLDER/staged` says that they begin, `FOLDER/created` which entries made an IAM user.
"""

import importlib
import sys
from pathlib import Path

import django


def main() -> int:
    """Nothing where ledger, rows and AWS agree; else 1, and what differs is printed."""
    django.setup()
    seconds, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    # Only now: they import models.
    decisions = importlib.import_module("tests.faults.decisions")
    agreement = importlib.import_module("tests.faults.agreement")
    stage = decisions.set_up(folder, seed=seed)
    acknowledged = decisions.decide_for(stage, seconds=seconds)
    decisions.wait_until_quiet()
    comparison = agreement.compare(stage, acknowledged=acknowledged)
    (folder / "created").write_text("\n".join(comparison.created))
    for line in comparison.differences:
        sys.stdout.write(f"DIFFERS: {line}\n")
    sys.stdout.write(f"{comparison.summary}\n")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
