"""One page of the key board's list: which keys stand on it, and what each of them says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, OrderBy, Q, QuerySet

from accounts.models import AccessKey, Rotation, RotationAsk
from accounts.views import states
from accounts.views.bounded_pages import PER_PAGE, BoundedPage
from accounts.views.states import Shown
from portal.ledger.models import Delivery, Entry

BY_AGE = "age"
# What the list is sorted by, by the name that its address has for it; what was never used was used longest ago.
SORTS = {BY_AGE: "create_date", "iam_user": "iam_user__user_name", "used": "last_used_date"}

# Read for nothing on the board, and long.
UNREAD_OF_IAM_USERS = ("inline_policies", "attached_policy_arns", "tags", "permissions_boundary_arn")


@dataclass(frozen=True)
class KeyOrder:
    """What the keys are sorted by: the oldest first, unless somebody asks otherwise."""

    name: str = BY_AGE
    is_descending: bool = False

    @classmethod
    def read(cls, text: str) -> KeyOrder:
        """From an address: `used`, or `-used` for the other way round."""
        name = text.removeprefix("-")
        return cls(name, is_descending=text.startswith("-")) if name in SORTS else cls()

    def of(self, rows: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
        """The rows in this order."""
        if self.name == BY_AGE:
            # Both the same way round, as the index goes that is walked.
            return rows.order_by(*(["-create_date", "-pk"] if self.is_descending else ["create_date", "pk"]))
        nulls = {"nulls_last": True} if self.is_descending else {"nulls_first": True}
        return rows.order_by(OrderBy(F(SORTS[self.name]), descending=self.is_descending, **nulls), "create_date", "pk")


@dataclass(frozen=True)
class KeyRow:
    """One access key as the board shows it."""

    key: AccessKey
    age: int
    shown: Shown
    rotation: Rotation | None
    ask: RotationAsk | None
    may_select: bool


@dataclass(frozen=True, kw_only=True)
class KeyPage(BoundedPage):
    """The access keys of one page; `rows` are all that fit."""

    order: KeyOrder
    rotate_after_days: int

    @property
    def is_sorted(self) -> bool:
        """Whether they could be sorted as was asked: so many that they are not counted are listed by age."""
        return not self.count.is_more or self.order.name == BY_AGE

    def in_order(self, rows: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
        """As was asked, where that can be."""
        return (self.order if self.is_sorted else KeyOrder()).of(rows)

    @cached_property
    def shown(self) -> list[KeyRow]:
        """The page's rows, in a fixed number of queries."""
        ids = self.ids[:PER_PAGE]
        if not ids:
            return []
        unread = [f"iam_user__{name}" for name in UNREAD_OF_IAM_USERS]
        rows = AccessKey.objects.select_related("account", "iam_user__team", "iam_user__owner").defer(*unread)
        found = rows.in_bulk(ids)
        keys = [found[pk] for pk in ids if pk in found]
        rotations, asks, deliveries = _rotations(ids), RotationAsk.objects.of_keys(keys), _deliveries(keys)
        return [
            self._row(key, rotations.get(key.pk), asks.get(key.pk), deliveries.get(key.access_key_id)) for key in keys
        ]

    def _row(
        self, key: AccessKey, rotation: Rotation | None, ask: RotationAsk | None, delivery: Delivery | None
    ) -> KeyRow:
        is_overdue = key.is_overdue(after_days=self.rotate_after_days, at=self.at)
        return KeyRow(
            key=key,
            age=key.age_days(at=self.at),
            shown=states.of_access_key(key, delivery, is_overdue=is_overdue, at=self.at),
            rotation=rotation,
            ask=ask,
            may_select=key.iam_user.team_id in self.assignable,
        )


def _rotations(ids: list[int]) -> dict[int, Rotation]:
    """The open rotation that each key has a part in."""
    found = Rotation.objects.open().filter(Q(old_key__in=ids) | Q(new_key__in=ids))
    return {pk: rotation for rotation in found for pk in (rotation.old_key_id, rotation.new_key_id) if pk is not None}


def _deliveries(keys: list[AccessKey]) -> dict[str, Delivery]:
    """By key id, the change of each that has not arrived: a stuck one before the oldest other."""
    about = {str(key.iam_user_id) for key in keys}
    entries = Entry.objects.filter(organization=keys[0].organization_id, subject_type="iam_user", subject_id__in=about)
    rows = Delivery.objects.open().filter(entry__in=entries).select_related("entry").order_by("-sequence", "-pk")
    found: dict[str, Delivery] = {}
    for delivery in sorted(rows, key=lambda one: one.state == Delivery.State.STUCK):
        key_id: Any = delivery.entry.details.get("access_key_id")
        if key_id:
            found[key_id] = delivery
    return found
