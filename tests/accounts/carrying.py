"""What the tests of delivery and import share: AWS looked at from outside, and time that passes."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from tests.aws.server import AWS

HOUR = timedelta(hours=1)
# More than any delivery needs to arrive or to get stuck.
ROUNDS = 12


def deliver_until_quiet() -> Delivery:
    """Carry what is due, and what waits when its time comes, until everything has ended or is stuck; the last one."""
    for _ in range(ROUNDS):
        deliver_due(at=_when_the_last_may_go())
        if not Delivery.objects.filter(state__in=["due", "calling", "waiting"]).exists():
            break
    return Delivery.objects.latest("pk")


def _when_the_last_may_go() -> datetime:
    waits = [delivery.not_before for delivery in Delivery.objects.filter(state="waiting") if delivery.not_before]
    return max([database_now(), *waits])


def users(aws: AWS, account: Account) -> dict[str, dict[str, Any]]:
    """What AWS holds of the account's users: path, tags and groups by name."""
    iam = aws.boto3(account.account_id)
    return {
        user["UserName"]: {
            "path": user["Path"],
            "tags": {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName=user["UserName"])["Tags"]},
            "groups": {group["GroupName"] for group in iam.list_groups_for_user(UserName=user["UserName"])["Groups"]},
        }
        for user in iam.list_users()["Users"]
    }


def age(aws: AWS, account: Account, user_name: str, *, by: timedelta = HOUR) -> None:
    """Let AWS have made the user earlier than it did."""
    user = aws.backend(account.account_id).users[user_name]
    user.create_date -= by


class Death(BaseException):
    """A worker that dies: nothing catches it."""


def rename(aws: AWS, account: Account, *names: tuple[str, str]) -> None:
    """Let users of AWS exchange names, as UpdateUser can in several steps."""
    users = vars(aws.backend(account.account_id))["users"]
    moved = {new: users.pop(old) for old, new in names}
    for new, user in moved.items():
        user.name = new
        for key in user.access_keys:
            key.user_name = new
        users[new] = user
