"""People: those who sign in to the portal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.membership import Membership

if TYPE_CHECKING:
    from accounts.models.organization import Organization


class PersonManager(BaseUserManager["Person"]):
    """Makes people; e-mail addresses are kept in lower case."""

    def create_person(self, *, email: str, name: str, password: str | None = None, **fields: Any) -> Person:
        """Save a person; without a password they can sign in by other means only."""
        person = self.model(email=email.lower(), name=name, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def members_of(self, organization: Organization) -> models.QuerySet[Person]:
        """Those who belong to the organization and are not disabled."""
        return self.filter(
            is_active=True, membership__organization=organization, membership__ended_at__isnull=True
        ).distinct()

    def visible_to(self, person: Person) -> models.QuerySet[Person]:
        """Those of the organizations that the person sees whole, those of the teams they lead, and themselves."""
        seen = Membership.objects.visible_to(person).filter(ended_at__isnull=True)
        return self.filter(models.Q(pk__in=seen.values("person")) | models.Q(pk=person.pk))

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """A human who signs in. What they may do is said by their memberships alone; nobody is a superuser."""

    email = models.EmailField("e-mail", max_length=254, unique=True)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    # As a page that only shows read them at its beginning, each with its organization; None where each question reads
    # them anew, as before every change.
    active_duties_read: tuple[Membership, ...] | None = None

    objects = PersonManager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="person_email_once", violation_error_message="Somebody has this e-mail already."
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def belongs_to(self, organization: Organization) -> bool:
        """Whether they have a membership there that has not ended."""
        return self.is_active and self.membership_set.filter(organization=organization, ended_at__isnull=True).exists()

    def read_active_duties(self) -> None:
        """Read once, for a page that only shows, what else each question of it would read again."""
        duties = Membership.objects.active().of(self).select_related("organization")
        self.active_duties_read = tuple(duties.order_by("organization__name", "organization", "pk"))

    def active_duties(self) -> Sequence[Membership]:
        """Their memberships that have not ended, in every organization; none of somebody who is disabled."""
        return (
            list(Membership.objects.active().of(self)) if self.active_duties_read is None else self.active_duties_read
        )

    def active_duties_in(self, organization: Organization) -> Sequence[Membership]:
        """Those of one organization."""
        if self.active_duties_read is None:
            return list(Membership.objects.active().of(self).in_organization(organization))
        return [membership for membership in self.active_duties_read if membership.organization_id == organization.pk]

    def get_full_name(self) -> str:
        """What allauth's pages call the person."""
        return str(self)
