"""IAM users: of people and of applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import arns
from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.membership import SEE_THE_ORGANIZATION, Duty, Membership
from accounts.models.organization import Team

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models.organization import Organization
    from accounts.models.person import Person

# Empty where nobody has said it.
SAID_BY = ("", "tags", "rule", "hand")


class IAMUserQuerySet(models.QuerySet["IAMUser"]):
    """Which IAM users somebody may see, and which of them AWS holds."""

    def visible_to(self, person: Person) -> IAMUserQuerySet:
        """Those of the organizations that the person sees whole, of the teams they lead, and their own."""
        mine = Membership.objects.active().of(person)
        whole = mine.filter(duty__in=SEE_THE_ORGANIZATION).values("organization")
        led = mine.filter(duty=Duty.LEAD).values("team")
        own = Q(owner=person, organization__in=mine.values("organization"))
        return self.filter(Q(organization__in=whole) | Q(team__in=led) | own)

    def seen_in(self, organization: Organization, *, by: Person) -> IAMUserQuerySet:
        """Those of one organization that the person may see, as `visible_to` says.

        Their duties are read first: what is left is a condition that an index serves, however many rows there are.
        """
        rows = self.filter(organization=organization)
        duties = by.active_duties_in(organization)
        if any(one.duty in SEE_THE_ORGANIZATION for one in duties):
            return rows
        led = [one.team_id for one in duties if one.duty == Duty.LEAD]
        return rows.filter(Q(team__in=led) | Q(owner=by)) if duties else rows.none()

    def in_organization(self, organization: Organization) -> IAMUserQuerySet:
        """Those of one organization."""
        return self.filter(organization=organization)

    def present(self) -> IAMUserQuerySet:
        """Those in AWS, and those on their way there."""
        return self.filter(gone_at__isnull=True)

    def locked(self) -> IAMUserQuerySet:
        """To read a row that is being decided about, locked against others who decide, with whose and where it is."""
        rows = self.select_related("organization", "account", "team", "owner")
        return rows.select_for_update(of=("self",), no_key=True)

    def unassigned(self) -> IAMUserQuerySet:
        """Those without a team or without an owner."""
        return self.filter(Q(team__isnull=True) | Q(owner__isnull=True))

    def with_facts(self) -> IAMUserQuerySet:
        """With all that a row of a list shows, in a fixed number of queries."""
        devices = IAMUser.mfa_devices.rel.related_model._default_manager
        waiting = IAMUser.drift.rel.related_model._default_manager.filter(iam_user=OuterRef("pk"), state="open")
        return (
            self.select_related("account", "team", "owner", "login_profile")
            .prefetch_related("access_keys")
            .annotate(has_mfa=Exists(devices.filter(iam_user=OuterRef("pk"))), has_open_drift=Exists(waiting))
        )

    def with_state(self) -> IAMUserQuerySet:
        """As `with_facts`, but of account, team, owner and password the few words alone that a long list shows."""
        devices = IAMUser.mfa_devices.rel.related_model._default_manager
        waiting = IAMUser.drift.rel.related_model._default_manager.filter(iam_user=OuterRef("pk"), state="open")
        return self.annotate(
            account_name=F("account__name"),
            team_name=F("team__name"),
            owner_name=F("owner__name"),
            owner_email=F("owner__email"),
            has_password=Q(login_profile__isnull=False),
            password_last_used=F("login_profile__password_last_used"),
            has_mfa=Exists(devices.filter(iam_user=OuterRef("pk"))),
            has_open_drift=Exists(waiting),
        )


class IAMUser(FactFromAWS):
    """What AWS holds of one IAM user, and who answers for it.

    `user_id` is AWS's own id of it: empty until AWS has it. A deleted and re-created name is another user, so a row is
    never used for a second one; `gone_at` says since when AWS no longer holds it. What tags or rules said of team and
    owner follows them at each import; what a person said stays.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        APPLICATION = "application", "Application"

    class SaidBy(models.TextChoices):
        TAGS = "tags", "its tags"
        RULE = "rule", "a rule"
        HAND = "hand", "a person"

    # Named here because the fact's own would hide it.
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="iam_users")
    user_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    user_id = models.CharField("unique ID", max_length=128, blank=True, default="")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.PERSON)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="iam_users"
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="iam_users")
    team_said_by = models.CharField(max_length=4, choices=SaidBy.choices, blank=True, default="")
    owner_said_by = models.CharField(max_length=4, choices=SaidBy.choices, blank=True, default="")
    purpose = models.CharField(max_length=200, blank=True, default="")
    tags = models.JSONField(default=dict, blank=True)
    permissions_boundary_arn = models.CharField(max_length=2048, blank=True, default="")
    attached_policy_arns = models.JSONField(default=list, blank=True)
    inline_policies = models.JSONField(default=dict, blank=True)
    create_date = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(default=timezone.now, editable=False)

    if TYPE_CHECKING:
        # Annotated by with_facts() and with_state().
        account_name: str
        team_name: str | None
        owner_name: str | None
        owner_email: str | None
        has_password: bool
        password_last_used: datetime | None
        has_mfa: bool
        has_open_drift: bool

    objects = IAMUserQuerySet.as_manager()

    class Meta:
        verbose_name = "IAM user"
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("user_name"),
                condition=Q(gone_at__isnull=True),
                name="iam_user_name_once",
                violation_error_message="This account has an IAM user of this name already; "
                "upper and lower case count as the same.",
            ),
            models.UniqueConstraint(fields=["account", "user_id"], condition=~Q(user_id=""), name="iam_user_id_once"),
            models.CheckConstraint(condition=Q(user_name__regex=r"^[A-Za-z0-9_+=,.@-]+$"), name="iam_user_name_form"),
            models.CheckConstraint(
                condition=Q(path__startswith="/") & Q(path__endswith="/"), name="iam_user_path_form"
            ),
            models.CheckConstraint(condition=Q(kind__in=["person", "application"]), name="iam_user_kind_known"),
            models.CheckConstraint(
                condition=Q(team_said_by__in=SAID_BY) & Q(owner_said_by__in=SAID_BY), name="iam_user_said_by_known"
            ),
            source_and_time_go_together("iam_user_source_and_time"),
        ]
        # Besides these PostgreSQL has three of its own, by which a search finds a part of a name or purpose, and a tag
        # (migration 0009).
        indexes = [
            # The list of an organization's IAM users, by name, and counting it up to ten thousand.
            models.Index(
                fields=["organization", "user_name", "id"], condition=Q(gone_at__isnull=True), name="iam_user_listed"
            ),
        ]

    def __str__(self) -> str:
        return self.user_name

    @property
    def arn(self) -> str:
        """The ARN that it has in AWS or will have there."""
        return arns.user_arn(
            account_id=self.account.account_id,
            path=self.path,
            user_name=self.user_name,
            partition=self.account.partition,
        )

    @property
    def is_in_aws(self) -> bool:
        """Whether AWS held it when it was last read."""
        return bool(self.user_id) and self.gone_at is None

    @property
    def peoples_tags(self) -> dict[str, str]:
        """Its tags without the portal's own."""
        return arns.peoples_tags(self.tags)
