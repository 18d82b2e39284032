"""What an owner decides about their own IAM user, and where being named its owner is not enough for that."""

from __future__ import annotations

from accounts import envelope
from accounts.limits import OutsideEnvelope
from accounts.models import IAMUser, Person

ONLY_TAGS = (
    "Only its tags say that {iam_user} is yours, and it can do more than its team may have. Ask your lead or an admin "
    "to assign it to you, then try again."
)


def require_believed(*, by: Person, iam_user: IAMUser) -> None:
    """Return where somebody here said that the IAM user is theirs, or where it can do no more than its team may have.

    Whoever may tag in the AWS account can name anybody the owner, and would so be handed what an admin gave to it.

    :raises OutsideEnvelope: where only its tags say so, and it can do more.
    """
    if iam_user.owner_said_by != IAMUser.SaidBy.TAGS:
        return
    try:
        envelope.require_within(by=by, iam_user=iam_user)
    except OutsideEnvelope:
        raise OutsideEnvelope("__all__", ONLY_TAGS.format(iam_user=iam_user)) from None
