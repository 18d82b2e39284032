"""`python -m tests.benchmarks.load HOW COUNT`: make many IAM users; print how long it took as one line of JSON."""

import importlib
import json
import sys

import django


def main() -> None:
    """`HOW` is `portal` or `pool`, as `crowd.py` says."""
    how, count = sys.argv[1], int(sys.argv[2])
    django.setup()
    # Only now: it imports models.
    crowd = importlib.import_module("tests.benchmarks.crowd")
    sys.stdout.write(json.dumps(crowd.make(how, count)) + "\n")


main()
