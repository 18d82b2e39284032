"""One page of the list of IAM users: which rows stand on it, and what each of them says.

The rows of a page are found first, by their ids alone, and read after that: sorting does not carry their policies.
Rows are counted up to ten thousand, those of a search up to a thousand. Of more that fit a filter so many are found and
listed: to name the first of them by name, PostgreSQL might have to read all names of a million. Only the list of the
whole organization has an index in its own order, and goes on as long as somebody turns its pages; any other must not be
sorted by walking it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import F, Max, Min, OrderBy, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, Greatest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, IAMUser
from accounts.models.iam_user import IAMUserQuerySet
from accounts.views import states
from accounts.views.bounded_pages import PER_PAGE, BoundedPage
from accounts.views.states import Shown
from portal.ledger.models import Delivery, Entry

BY_NAME = "user_name"
# What a list is sorted by, by the name that its address has for it.
SORTS: dict[str, str] = {
    BY_NAME: "user_name",
    "account": "account__name",
    "owner": "owner__name",
    "team": "team__name",
    "keys": "oldest_key",
    "used": "last_used",
}
# What the list shows; the rest is long, or read for nothing.
READ = ("organization", "user_name", "user_id", "kind", "owner", "team", "purpose", "gone_at")
READ_OF_KEYS = ("iam_user", "status", "create_date", "last_used_date")
NEVER = datetime(1970, 1, 1, tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True)
class Row:
    """One IAM user as the list shows it, each cell as its text: the template has nothing left to look up."""

    iam_user: IAMUser
    name: str
    address: str
    shown: Shown
    account: str
    of_whom: str
    team: str
    keys: str
    is_overdue: bool
    mfa: str
    lacks_mfa: bool
    used: datetime | None
    used_at: str
    missing: str
    may_select: bool


@dataclass(frozen=True)
class Order:
    """What the rows are sorted by."""

    name: str = BY_NAME
    is_descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """From an address: `keys`, or `-keys` for the other way round; by name where it says neither."""
        name = text.removeprefix("-")
        return cls(name, is_descending=text.startswith("-")) if name in SORTS else cls()

    def of(self, rows: IAMUserQuerySet, *, by_index: bool = False) -> QuerySet[IAMUser]:
        """The rows in this order; without `by_index` all that fit are found before they are sorted by their names."""
        if self.name == "keys":
            active = Q(access_keys__status=AccessKey.Status.ACTIVE, access_keys__gone_at__isnull=True)
            rows = rows.annotate(oldest_key=Min("access_keys__create_date", filter=active))
        if self.name == "used":
            rows = rows.annotate(
                last_used=Greatest(
                    Coalesce("login_profile__password_last_used", NEVER),
                    Coalesce(Max("access_keys__last_used_date"), NEVER),
                )
            )
        if self.name == BY_NAME:
            # No index has the names in this form, so that none of them is walked.
            name = F(BY_NAME) if by_index else Concat(BY_NAME, Value(""))
            # Both the same way round, as the index goes that is walked.
            return rows.order_by(*(OrderBy(part, descending=self.is_descending) for part in (name, F("pk"))))
        first = OrderBy(F(SORTS[self.name]), descending=self.is_descending, nulls_last=True)
        return rows.order_by(first, "user_name", "pk")


@dataclass(frozen=True, kw_only=True)
class IAMUserPage(BoundedPage):
    """The rows of one page; `rows` are all that fit."""

    order: Order
    rotate_after_days: int

    @property
    def is_sorted(self) -> bool:
        """Whether they could be sorted as was asked: so many that they are not counted are listed by name."""
        return not self.count.is_more or self.order.name == BY_NAME

    def in_order(self, rows: Any) -> QuerySet[IAMUser]:
        """As was asked, where that can be."""
        order = self.order if self.is_sorted else Order()
        return order.of(rows, by_index=self.count.is_more and self.is_whole)

    @cached_property
    def shown(self) -> list[Row]:
        """The page's rows, in a fixed number of queries."""
        ids = self.ids[:PER_PAGE]
        found = {row.pk: row for row in IAMUser.objects.filter(pk__in=ids).with_state().only(*READ)} if ids else {}
        iam_users = [found[pk] for pk in ids if pk in found]
        keys, deliveries = _keys(ids), open_deliveries(iam_users)
        return [self._row(row, keys.get(row.pk, []), deliveries.get(str(row.pk))) for row in iam_users]

    def _row(self, iam_user: IAMUser, keys: list[AccessKey], delivery: Delivery | None) -> Row:
        uses = [key.last_used_date for key in keys] + [iam_user.password_last_used]
        used = max((use for use in uses if use is not None), default=None)
        oldest = states.of_oldest_key(keys, after_days=self.rotate_after_days, at=self.at)
        mfa = states.of_mfa(has_password=iam_user.has_password, has_mfa=iam_user.has_mfa)
        return Row(
            iam_user=iam_user,
            name=iam_user.user_name,
            address=reverse("iam_user", args=[iam_user.pk]),
            shown=states.of_iam_user(iam_user, delivery, at=self.at),
            account=iam_user.account_name,
            of_whom=_of_whom(iam_user),
            team=iam_user.team_name or "Unassigned",
            keys=oldest.words,
            is_overdue=oldest.tone == "waiting",
            mfa=mfa.words,
            lacks_mfa=mfa.tone == "waiting",
            used=used,
            used_at="" if used is None else timezone.localtime(used).isoformat(),
            missing=states.missing_of(iam_user),
            may_select=iam_user.team_id in self.assignable,
        )


def _of_whom(iam_user: IAMUser) -> str:
    """For whom it is: its owner, or what the application does."""
    if iam_user.kind == IAMUser.Kind.APPLICATION and iam_user.purpose:
        return iam_user.purpose
    return iam_user.owner_name or iam_user.owner_email or "Nobody"


def _keys(ids: list[int]) -> dict[int, list[AccessKey]]:
    """Those that each of them has."""
    of_each: dict[int, list[AccessKey]] = {}
    if ids:
        for key in AccessKey.objects.present().filter(iam_user__in=ids).only(*READ_OF_KEYS).order_by("pk"):
            of_each.setdefault(key.iam_user_id, []).append(key)
    return of_each


def open_deliveries(iam_users: list[IAMUser]) -> dict[str, Delivery]:
    """Of each the delivery that its row should speak of: a stuck one before the oldest other."""
    if not iam_users:
        return {}
    about = Entry.objects.filter(
        organization=iam_users[0].organization_id,
        subject_type="iam_user",
        subject_id__in=[str(iam_user.pk) for iam_user in iam_users],
    )
    rows = Delivery.objects.open().filter(entry__in=about).annotate(about=F("entry__subject_id"))
    spoken_of: dict[str, Any] = {}
    for delivery in rows.order_by("sequence", "pk"):
        before = spoken_of.get(delivery.about)
        if before is None or (delivery.state == Delivery.State.STUCK and before.state != Delivery.State.STUCK):
            spoken_of[delivery.about] = delivery
    return spoken_of
