"""In whatever order people decide, workers die and AWS fails, nothing is lost and nothing is done twice."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.aws import direct
from tests.aws.server import AWS, Server
from tests.faults.access_machine import Gate
from tests.faults.state_machine_house import Clock, Crash, install


@pytest.mark.django_db(transaction=True)
def test_in_whatever_order_nothing_is_lost_and_nothing_is_done_twice(
    aws: AWS, aws_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gate.aws, Gate.clock, Gate.crash, Gate.bell = aws, Clock(), Crash(), []
    direct.connect(monkeypatch, aws_server.layer)
    install(monkeypatch, Gate.clock, Gate.crash, Gate.bell)

    run_state_machine_as_test(
        Gate,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            # To find a shorter story takes minutes; whoever needs one adds Phase.shrink.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
