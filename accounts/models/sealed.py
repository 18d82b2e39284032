"""Which sealed secret belongs to what of which IAM user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.secrets.models import SealedSecret, SealedSecretQuerySet

if TYPE_CHECKING:
    from accounts.models.iam_user import IAMUser


class Purpose(StrEnum):
    """What a sealed secret is for, as pages call it."""

    PASSWORD = "Console password"  # noqa: S105 -- the name of one, and not one
    ACCESS_KEY = "Access key"
    MFA_DEVICE = "MFA device"


@dataclass(frozen=True)
class Bond:
    """What a secret is bound to: something of an IAM user, by the id of a key, delivery or registration."""

    purpose: Purpose
    iam_user_id: int
    id: str

    def __str__(self) -> str:
        return f"{_prefix(self.purpose, self.iam_user_id)}{self.id}"

    @classmethod
    def of(cls, sealed: SealedSecret) -> Bond:
        """What `str` made of it."""
        name, iam_user_id, bound = sealed.bound_to.split("/")
        return cls(Purpose[name], int(iam_user_id), bound)


def sealed_for(iam_user: IAMUser, purpose: Purpose | None = None) -> SealedSecretQuerySet:
    """The sealed secrets of one IAM user, opened and expired ones too."""
    found = SealedSecret.objects.none()
    for each in Purpose if purpose is None else (purpose,):
        of_organization = SealedSecret.objects.of(iam_user.organization)
        found = found | of_organization.filter(bound_to__startswith=_prefix(each, iam_user.pk))
    return found


def _prefix(purpose: Purpose, iam_user_id: int) -> str:
    return f"{purpose.name}/{iam_user_id}/"
