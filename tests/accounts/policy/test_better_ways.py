"""You may not need this key: what the portal names instead."""

from typing import Any

import pytest

from accounts.policy import better_ways
from accounts.policy.better_ways import BetterWay, Use, better_way


def way(**fields: Any) -> BetterWay:
    given: dict[str, Any] = {
        "is_a_persons": False,
        "has_console_password": False,
        "was_ever_used": True,
        "is_unused": False,
        "words": "ledger-writer",
    }
    return better_way(Use(**given | fields))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"is_unused": True}, better_ways.UNUSED),
        ({"is_unused": True, "is_a_persons": True}, better_ways.UNUSED),
        ({"was_ever_used": False}, better_ways.ELSEWHERE),
        ({"is_a_persons": True}, better_ways.PERSON),
        ({"is_a_persons": True, "has_console_password": True}, better_ways.PERSON),
        ({"is_a_persons": True, "has_console_password": True, "was_ever_used": False}, better_ways.CONSOLE),
        ({"words": "github-actions"}, better_ways.CI),
        ({"words": "Deploys the shop; CI"}, better_ways.CI),
        ({"words": "invoice_lambda"}, better_ways.LAMBDA),
        ({"words": "web on EC2"}, better_ways.EC2),
        # Only whole words say where something runs.
        ({"words": "precision-circuit"}, better_ways.ELSEWHERE),
    ],
)
def test_the_better_way_follows_from_the_use(fields: dict[str, Any], expected: BetterWay) -> None:
    assert way(**fields) == expected
