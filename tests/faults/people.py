"""The people of the long fault run: they decide for a while, wait until all is quiet, and compare.

Run by `tests.faults.chaos` as `python -m tests.faults.people SECONDS SEED FOLDER`, in a process whose environment names
the portal's servers. `FOLDER/staged` says that they begin, `FOLDER/created` which entries made an IAM user, and
`FOLDER/secrets.json` which secrets people were given.
"""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django


def main() -> int:
    """Nothing where ledger, rows and AWS agree; else 1, and what differs is printed."""
    django.setup()
    seconds, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    # Only now: they import models.
    stages = importlib.import_module("tests.faults.stage")
    decisions = importlib.import_module("tests.faults.decisions")
    settling = importlib.import_module("tests.faults.settling")
    agreement = importlib.import_module("tests.faults.agreement")
    stage = stages.set_up(folder, seed=seed)
    acknowledged = decisions.decide_for(stage, seconds=seconds)
    settling.wait_until_quiet(stage)
    comparison = agreement.compare(stage, acknowledged=acknowledged)
    (folder / "created").write_text("\n".join(comparison.created))
    (folder / "secrets.json").write_text(json.dumps([asdict(told) for told in comparison.secrets]))
    for line in comparison.differences:
        sys.stdout.write(f"DIFFERS: {line}\n")
    sys.stdout.write(f"Decided: {dict(acknowledged)}.\n")
    sys.stdout.write(f"{comparison.summary}\n")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
