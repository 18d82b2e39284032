"""What was decided here of each IAM user that the portal manages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.utils import timezone

from accounts.kinds import Kind
from accounts.models.attributes import BEGINNING, NAMES, Attributes, made, replayed, stays_in_group
from accounts.models.facts import TenantRow
from accounts.models.iam_group import GroupMembership
from accounts.models.iam_user import IAMUser
from portal.ledger.models import Delivery, Entry

if TYPE_CHECKING:
    from accounts.models.person import Person

Row = TypeVar("Row", bound=models.Model)


class OfAnIAMUserQuerySet(models.QuerySet[Row]):
    """What is known of an IAM user is seen by those who see the IAM user."""

    def visible_to(self, person: Person) -> Self:
        """Those of the IAM users that the person sees."""
        return self.filter(iam_user__in=IAMUser.objects.visible_to(person))


class IAMUserRecordQuerySet(OfAnIAMUserQuerySet["IAMUserRecord"]):
    """Keeping the records; whoever does holds the row of the IAM user."""

    def beginning(self, iam_user: IAMUser) -> dict[str, object]:
        """What the entry of the first decision about it says besides: what AWS held. Of a later one, nothing."""
        if self.filter(iam_user=iam_user).exists():
            return {}
        return {BEGINNING: held_now(iam_user).tell()}

    def begin(self, iam_user: IAMUser, entry: Entry) -> None:
        """The portal makes the IAM user, and manages it from the first moment."""
        self._begin(iam_user, made(entry.details), entry)

    def follow(self, iam_user: IAMUser, entry: Entry) -> None:
        """The record follows a decision, before AWS has it."""
        if BEGINNING in entry.details:
            beginning = Attributes.told(entry.details[BEGINNING])
            self._begin(iam_user, beginning.after(entry.kind, entry.details), entry)
            return
        record = self.get(iam_user=iam_user)
        record.write(record.attributes.after(entry.kind, entry.details))

    def take_back(self, iam_user: IAMUser) -> None:
        """A decision about it was given up: the record is what the others make of it, and ends where there are none."""
        record = self.filter(iam_user=iam_user).first()
        if record is None:
            return
        attributes = replayed(_entries_about(iam_user))
        if attributes is None:
            record.delete()
        else:
            record.write(attributes)

    def end(self, iam_user: IAMUser) -> None:
        """The portal no longer manages it."""
        self.filter(iam_user=iam_user).delete()

    def _begin(self, iam_user: IAMUser, attributes: Attributes, entry: Entry) -> None:
        self.create(iam_user=iam_user, organization=iam_user.organization, since=entry.at, **attributes.stored())


class IAMUserRecord(TenantRow):
    """The portal's record of an IAM user that it manages: what it shall be, by all that was decided here.

    An IAM user without one is not managed: the portal's rows follow AWS. It begins with the first decision about the
    IAM user, as a copy of what AWS holds, and changes with each decision, before AWS has it.
    """

    iam_user = models.OneToOneField(IAMUser, on_delete=models.CASCADE, related_name="record")
    user_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    # People's tags alone; the portal's own and AWS's are nobody's decision.
    tags = models.JSONField(default=dict, blank=True)
    group_names = models.JSONField(default=list, blank=True)
    permissions_boundary_arn = models.CharField(max_length=2048, blank=True, default="")
    attached_policy_arns = models.JSONField(default=list, blank=True)
    inline_policies = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(default=timezone.now, editable=False)

    objects = IAMUserRecordQuerySet.as_manager()

    class Meta:
        verbose_name = "record of an IAM user"
        verbose_name_plural = "records of IAM users"

    def __str__(self) -> str:
        return self.user_name

    @property
    def attributes(self) -> Attributes:
        """What the IAM user shall be."""
        return Attributes(**{name: getattr(self, name) for name in NAMES})

    def write(self, attributes: Attributes) -> None:
        """From now on it shall be this."""
        for name, value in attributes.stored().items():
            setattr(self, name, value)
        self.save(update_fields=NAMES)


def held_now(iam_user: IAMUser) -> Attributes:
    """What AWS held of one IAM user when it was last read."""
    memberships = GroupMembership.objects.filter(iam_user=iam_user)
    return Attributes.held(iam_user, memberships.values_list("iam_group__group_name", flat=True))


def on_their_way(iam_user: IAMUser) -> list[Entry]:
    """What was decided about it and has not reached AWS, oldest first."""
    deliveries = Delivery.objects.of(iam_user.organization).about("iam_user", iam_user.pk).open()
    return [delivery.entry for delivery in deliveries.select_related("entry").order_by("sequence", "pk")]


def as_it_becomes(iam_user: IAMUser) -> Iterator[Attributes]:
    """What AWS held of it when it was last read, then what it becomes with each decision that is on its way."""
    attributes = held_now(iam_user)
    yield attributes
    for entry in on_their_way(iam_user):
        attributes = made(entry.details) if entry.kind == Kind.IAM_USER_CREATED else attributes
        attributes = attributes.after(entry.kind, entry.details)
        yield attributes


def as_decided(iam_user: IAMUser) -> Attributes:
    """What AWS holds of it, as what is on its way will change that."""
    *_, attributes = as_it_becomes(iam_user)
    return attributes


def is_in_for_good(iam_user: IAMUser, group_name: str) -> bool:
    """Whether it is in the group by a decision that bounds no time, whatever grants there are besides."""
    return stays_in_group(_entries_about(iam_user), group_name)


def _entries_about(iam_user: IAMUser) -> Iterable[tuple[Entry, bool]]:
    entries = Entry.objects.of(iam_user.organization).about("iam_user", iam_user.pk).order_by("sequence")
    for entry in entries.prefetch_related("deliveries"):
        yield entry, any(delivery.state == Delivery.State.GIVEN_UP for delivery in entry.deliveries.all())
