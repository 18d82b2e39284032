"""Who decides how an IAM user signs in: its owner, where being named so is enough, and whoever looks after it."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts import access, envelope
from accounts.access import Permission
from accounts.limits import OutsideEnvelope
from accounts.models import Duty, IAMUser, Membership, Person

ONLY_TAGS = (
    "Only its tags say that {iam_user} is yours, and it can do more than its team may have. Ask your lead or an admin "
    "to assign it to you, then try again."
)

# Whoever has one of these reaches further than any lead: through the organization, if only to read.
ABOVE_LEADS = (Duty.OWNER, Duty.ADMIN, Duty.HELPDESK, Duty.AUDITOR)


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


def require_reach(*, by: Person, iam_user: IAMUser) -> None:
    """Return for whoever may change how somebody else signs in; the row, read again, may have another owner now.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises OutsideEnvelope: for a lead, when it can do more than the team may have.
    :raises ValidationError: for a lead where the owner's duty is higher.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    envelope.require_within(by=by, iam_user=iam_user)
    owner = iam_user.owner
    if owner is not None and _is_above(by=by, iam_user=iam_user, owner=owner):
        raise ValidationError(f"{owner} has a duty beyond your team. An owner or admin can do this.")


def _is_above(*, by: Person, iam_user: IAMUser, owner: Person) -> bool:
    """Whether its owner has a duty that the person, a lead, does not reach."""
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return False
    duties = Membership.objects.active().of(owner).in_organization(iam_user.organization)
    return duties.filter(duty__in=ABOVE_LEADS).exists()
