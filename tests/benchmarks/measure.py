"""`python -m tests.benchmarks.measure NAME`: one benchmark, in a process whose environment names the servers."""

import importlib
import sys

import django


def main() -> None:
    """Measure what is named, print the table and write the file."""
    (name,) = sys.argv[1:]
    django.setup()
    # Only now: the benchmarks import models.
    report = importlib.import_module("tests.benchmarks.report")
    report.publish(name, importlib.import_module(f"tests.benchmarks.{name}").measure())


main()
