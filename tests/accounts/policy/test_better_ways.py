"""You may not need this key: what the portal names instead."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.policy import better_ways
from accounts.policy.better_ways import BetterWay, Use, better_way

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def way(**fields: Any) -> BetterWay:
    given: dict[str, Any] = {
        "is_a_persons": False,
        "has_console_password": False,
        "created_at": AT - 200 * DAY,
        "last_used_at": AT - DAY,
        "words": "ledger-writer",
    }
    return better_way(Use(**given | fields), at=AT)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"last_used_at": AT - 46 * DAY}, better_ways.UNUSED),
        ({"last_used_at": AT - 44 * DAY}, better_ways.ELSEWHERE),
        ({"last_used_at": None}, better_ways.UNUSED),
        ({"last_used_at": None, "created_at": AT - DAY}, better_ways.ELSEWHERE),
        ({"is_a_persons": True}, better_ways.PERSON),
        (
            {"is_a_persons": True, "has_console_password": True, "last_used_at": None, "created_at": AT - DAY},
            better_ways.CONSOLE,
        ),
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
