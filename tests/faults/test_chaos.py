"""A short run of the long fault run: real processes are ended again and again, and nothing is lost or done twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import services

DECIDING_SECONDS = 30
LONGEST_SECONDS = 300
SEED = 20261123


@pytest.mark.processes
@pytest.mark.only_on("postgresql")
def test_whatever_is_killed_everything_decided_arrives_once(tmp_path: Path) -> None:
    arguments = ["--seconds", str(DECIDING_SECONDS), "--seed", str(SEED), "--keep", str(tmp_path / "kept")]
    command = [sys.executable, "-m", "tests.faults.chaos", *arguments]

    run = subprocess.run(command, cwd=services.ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "'Redis emptied': 2, 'PostgreSQL crashed': 1" in run.stdout
    assert "deliveries {'done': " in run.stdout
