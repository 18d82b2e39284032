"""For whom the secrets of an IAM user are sealed: its owner, and nobody else."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts import access
from accounts.models import Duty, IAMUser, Membership, Person

NO_OWNER = "Assign an owner first: the secret is sealed for them alone."
# Whoever has one of these reaches further than any lead: through the organization, if only to read.
ABOVE_LEADS = (Duty.OWNER, Duty.ADMIN, Duty.HELPDESK, Duty.AUDITOR)


def recipient_of(iam_user: IAMUser) -> Person:
    """Its owner, who alone will see the secret.

    :raises ValidationError: where it has none, or one who is disabled or has left.
    """
    owner = iam_user.owner
    if owner is None:
        raise ValidationError(NO_OWNER)
    if not owner.belongs_to(iam_user.organization):
        raise ValidationError(f"{owner} is disabled or has left your organization. Assign another owner first.")
    return owner


def told_of(recipient: Person) -> dict[str, str]:
    """What an entry says of whom a secret is for."""
    return {"recipient": recipient.email, "recipient_id": str(recipient.pk)}


def is_above(*, by: Person, iam_user: IAMUser, owner: Person) -> bool:
    """Whether its owner has a duty that the person, a lead, does not reach."""
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return False
    duties = Membership.objects.active().of(owner).in_organization(iam_user.organization)
    return duties.filter(duty__in=ABOVE_LEADS).exists()
