"""Many IAM users at once, each with a tag and two groups: through the portal, and by bare calls.

`portal` decides all of them and waits until the workers have carried the last. `pool` has ten threads make the same
calls without the portal: what it can be measured against.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from accounts.delivery.held import iam_of
from accounts.models import Account, Team
from accounts.usecases.iam_users import create_iam_user
from portal.aws.iam import IAM
from portal.ledger.models import Delivery
from tests.benchmarks.stage import stage

GROUPS = ["ledger-readers", "ledger-writers"]
# CreateUser, AddUserToGroup twice, GetUser, ListGroupsForUser.
CALLS_EACH = 5
THREADS = 10
POLL_SECONDS = 0.02
GIVE_UP_SECONDS = 300.0


def make(how: str, count: int) -> dict[str, float]:
    """Make them, and say the seconds and the calls that it took."""
    team, account = stage(GROUPS)
    iam = iam_of(account)
    # The first call enters the account and builds its clients.
    iam.get_group(group_name=GROUPS[0])
    seconds = _pool(iam, count) if how == "pool" else _portal(team, account, count)
    return {"seconds": seconds, "calls": CALLS_EACH * count}


def _portal(team: Team, account: Account, count: int) -> float:
    by = team.membership_set.get().person
    start = time.perf_counter()
    for number in range(count):
        create_iam_user(
            by=by, team=team, account=account, user_name=f"load-{number}", kind="person", group_names=GROUPS,
            tags={"cost-center": "4711"}, at=datetime.now(UTC),
        )  # fmt: skip
    while Delivery.objects.exclude(state=Delivery.State.DONE).exists():
        if time.perf_counter() - start > GIVE_UP_SECONDS:
            raise TimeoutError(str(list(Delivery.objects.open().values_list("state", "error")[:3])))
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - start


def _pool(iam: IAM, count: int) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_bare, iam), range(count)))
    return time.perf_counter() - start


def _bare(iam: IAM, number: int) -> None:
    name = f"bare-{number}"
    iam.create_user(user_name=name, path="/bench/", tags={"cost-center": "4711"}, permissions_boundary=None)
    for group in GROUPS:
        iam.add_user_to_group(user_name=name, group_name=group)
    iam.get_user(user_name=name)
    iam.list_groups_for_user(user_name=name)
