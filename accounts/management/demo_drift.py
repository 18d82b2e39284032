"""The demo's IAM user that has drifted: a tag was decided in the portal, and then somebody changed it in AWS."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.delivery.held import iam_of
from accounts.models import IAMUser, IAMUserRecord, Person
from accounts.usecases.iam_users import tag_iam_user
from portal.ledger.deliver import deliver
from portal.ledger.models import Delivery

ACCOUNT, USER_NAME = "acme-prod", "invoice-mailer"
TAG, FIRST_VALUE = "cost-center", 4711
GROUP = "platform-readers"
# Longer ago than a reading may be behind.
DECIDED_BEFORE = timedelta(hours=2)
TOOK = timedelta(seconds=3)


def load_drift(*, at: datetime) -> IAMUser | None:
    """Let the portal manage it, and AWS hold another value of the tag and a group that nobody decided.

    The next reading of the account finds it, however often somebody has adopted or reverted it before. None where
    somebody has deleted it a moment ago.
    """
    iam_user = IAMUser.objects.present().filter(account__name=ACCOUNT, user_name=USER_NAME).first()
    if iam_user is None:
        return None
    if not IAMUserRecord.objects.filter(iam_user=iam_user).exists():
        _decide(iam_user, at=at - DECIDED_BEFORE)
    decided = IAMUserRecord.objects.get(iam_user=iam_user).tags.get(TAG, "")
    iam = iam_of(iam_user.account)
    iam.tag_user(user_name=USER_NAME, tags={TAG: str(int(decided if decided.isdecimal() else FIRST_VALUE) + 1)})
    iam.add_user_to_group(user_name=USER_NAME, group_name=GROUP)
    return iam_user


def _decide(iam_user: IAMUser, *, at: datetime) -> None:
    tag_iam_user(
        by=Person.objects.get(email="lena@acme.test"),
        iam_user=iam_user,
        tags=iam_user.peoples_tags | {TAG: str(FIRST_VALUE)},
        reason="Its costs are the ledger's.",
        at=at,
    )
    delivery = Delivery.objects.open().about("iam_user", iam_user.pk).latest("pk")
    deliver(delivery.pk, at=at + TOOK)
