"""For whom the secrets of an IAM user are sealed: its owner, and nobody else."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts.models import IAMUser, Person

NO_OWNER = "Assign an owner first: the secret is sealed for them alone."


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
