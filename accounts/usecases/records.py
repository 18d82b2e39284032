"""How this app's use-cases say in the ledger what they are about and where it must be carried."""

from django.db.models import Model

from accounts.models import Account, IAMUser
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, Target


def about_iam_user(iam_user: IAMUser) -> Subject:
    """The IAM user as a subject: its row's id, and its ARN as the name that outlives it."""
    return Subject("iam_user", str(iam_user.pk), iam_user.arn)


def about(row: Model) -> Subject:
    """Any other row as a subject: its model's name, its id, what it is called."""
    return Subject(row._meta.model_name or "", str(row.pk), str(row))


def carried_to(iam_user: IAMUser, *, queue: str = Delivery.Queue.INTERACTIVE) -> tuple[Target, ...]:
    """The one delivery about an IAM user: to its account's lane, in the order of its ARN."""
    return (Target(lane=iam_user.account.account_id, subject=iam_user.arn, queue=queue),)


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in AWS's own form. Their keys are people's words, so they stand in values and not in keys of the details."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def door_of(account: Account) -> dict[str, str]:
    """What an entry says of how the portal enters an account. The external id is no secret, but it is not needed."""
    return {"account_id": account.account_id, "role_arn": account.role_arn}
