"""How long an entry takes from its commit to AWS and back into the rows, beside the bare calls to AWS."""

import time
from datetime import UTC, datetime

from accounts.delivery.held import iam_of
from accounts.models import Account, Team
from accounts.usecases.iam_users import create_iam_user
from portal.aws.iam import IAM
from portal.ledger.models import Delivery
from tests.benchmarks.report import Measurement
from tests.benchmarks.stage import stage

COUNT = 50
LIMIT_SECONDS = 1.0
GIVE_UP_SECONDS = 30.0
POLL_SECONDS = 0.002
GROUP = "ledger-readers"


def measure() -> list[Measurement]:
    """Fifty creations by a real worker over Valkey, each followed by the same calls without the portal."""
    team, account = stage([GROUP])
    iam = iam_of(account)
    # The first of each enters the account and builds its clients.
    _through_the_portal(team, account, "warm-up")
    _bare(iam, "warm-up-bare")
    portal, bare, single = [], [], []
    for number in range(COUNT):
        portal.append(_through_the_portal(team, account, f"bench-{number}"))
        bare.append(_bare(iam, f"bare-{number}"))
        single.append(_one_call(iam, f"bare-{number}"))
    return [
        Measurement("from commit to delivered, AWS 20 ms away", "s", portal, LIMIT_SECONDS),
        Measurement(
            "the same four calls, bare", "s", bare, note="CreateUser, AddUserToGroup, GetUser, ListGroupsForUser"
        ),
        Measurement("one bare round trip", "s", single, note="GetUser"),
    ]


def _through_the_portal(team: Team, account: Account, user_name: str) -> float:
    create_iam_user(
        by=team.membership_set.get().person,
        team=team,
        account=account,
        user_name=user_name,
        kind="person",
        group_names=[GROUP],
        at=datetime.now(UTC),
    )
    start = time.perf_counter()
    delivery = Delivery.objects.latest("pk")
    while not Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.DONE).exists():
        if time.perf_counter() - start > GIVE_UP_SECONDS:
            delivery.refresh_from_db()
            raise TimeoutError(f"{user_name} did not arrive: {delivery.state} {delivery.error}")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - start


def _bare(iam: IAM, user_name: str) -> float:
    start = time.perf_counter()
    iam.create_user(user_name=user_name, path="/bench/", tags={"gatehouse:entry": user_name}, permissions_boundary=None)
    iam.add_user_to_group(user_name=user_name, group_name=GROUP)
    iam.get_user(user_name=user_name)
    iam.list_groups_for_user(user_name=user_name)
    return time.perf_counter() - start


def _one_call(iam: IAM, user_name: str) -> float:
    start = time.perf_counter()
    iam.get_user(user_name=user_name)
    return time.perf_counter() - start
