"""`python -m tests.benchmarks.load HOW COUNT`: change many IAM users; print how long it took as one line of JSON."""

import importlib
import json
import sys

import django


def main() -> None:
    """`HOW` is `portal` or `pool`, as `crowd.py` says, or `rotate` or `rotate-pool`, as `rotations.py` does."""
    how, count = sys.argv[1], int(sys.argv[2])
    django.setup()
    # Only now: it imports models.
    crowd = importlib.import_module(f"tests.benchmarks.{'rotations' if how.startswith('rotate') else 'crowd'}")
    sys.stdout.write(json.dumps(crowd.make(how, count)) + "\n")


main()
