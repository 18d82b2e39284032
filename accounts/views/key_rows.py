"""How pages show access keys: age, what is due, last use, and what whoever looks may do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind, in_words
from accounts.models import AccessKey, IAMUser, Organization, Person, Rotation, RotationAsk
from accounts.models.facts import Knowledge
from accounts.policy.better_ways import BetterWay, Use, better_way
from accounts.usecases.stuck_steps import gives_way
from accounts.views import states
from accounts.views.due import Due, due_of
from accounts.views.states import Shown
from portal.ledger.models import Delivery, Entry

CHANGES = {Kind.ACCESS_KEY_DEACTIVATED, Kind.ACCESS_KEY_ACTIVATED, Kind.ACCESS_KEY_DELETED}
# What makes a key, or takes a new one away again.
OF_NEW_KEYS = {Kind.ACCESS_KEY_CREATED, Kind.ROTATION_STARTED, Kind.ROTATION_GIVEN_UP}


@dataclass(frozen=True)
class Change:
    """One thing that may be done with a key: a link of its menu."""

    words: str
    address: str


@dataclass(frozen=True)
class KeyRow:
    """One access key; `rotation` is the open one that it is part of, `on_its_way` what was decided of it already."""

    key: AccessKey
    age: int
    due: Due | None
    known: Knowledge
    rotation: Rotation | None
    on_its_way: Shown | None
    rotate_address: str = ""
    changes: list[Change] = field(default_factory=list)
    waiting: dict[str, Any] | None = None
    ask: RotationAsk | None = None
    better: BetterWay | None = None

    @property
    def shown(self) -> Shown:
        """Its badge: what is due of an active one, else its status."""
        if self.due is None:
            return Shown(self.key.get_status_display(), "neutral")
        if self.due.is_overdue:
            return Shown("Active, overdue", "waiting")
        return Shown("Active", "ok")

    @property
    def menu_id(self) -> str:
        """Of the menu with its changes, unique on a page."""
        return f"key-{self.key.pk}"

    @property
    def is_moving(self) -> bool:
        """Whether something of it may arrive at any moment."""
        return self.on_its_way is not None and self.on_its_way.is_moving


class KeyRows:
    """The keys of some IAM users, as one person sees them, in a number of queries that does not grow with them."""

    def __init__(self, *, by: Person, organization: Organization, iam_users: Iterable[IAMUser], at: datetime) -> None:
        """`iam_users` are `with_facts`, of that organization, and seen by the person."""
        self._by, self._organization, self._at = by, organization, at
        self._iam_users = list(iam_users)
        self._allowed: dict[tuple[Permission, int | None], bool] = {}
        self.rotations = self._open_rotations()
        self._deliveries = self._open_deliveries()
        self._made_inactive = self._who_made_inactive()
        self._asks = RotationAsk.objects.of_keys([key for one in self._iam_users for key in one.access_keys.all()])

    def of(self, iam_user: IAMUser, waiting: Mapping[str, dict[str, Any]] | None = None) -> list[KeyRow]:
        """Its keys, the one that is due first before all others; `waiting` says whose secrets wait for whom."""
        keys = [key for key in iam_user.access_keys.all() if key.gone_at is None]
        ordered = sorted(keys, key=lambda key: (key.status != AccessKey.Status.ACTIVE, key.create_date, key.pk))
        may = self._may(iam_user)
        return [self._row(iam_user, key, may, (waiting or {}).get(key.access_key_id)) for key in ordered]

    def on_its_way(self, iam_user: IAMUser) -> tuple[str, Shown] | None:
        """What of its keys has not arrived and no row of a key tells of: one that is stuck before the oldest other."""
        deliveries = [one for one in self._deliveries.get(str(iam_user.pk), []) if one.entry.kind in OF_NEW_KEYS]
        for delivery in sorted(deliveries, key=lambda one: one.state != Delivery.State.STUCK):
            return in_words(delivery.entry.kind), states.of_delivery(delivery, at=self._at)
        return None

    def _row(self, iam_user: IAMUser, key: AccessKey, may: set[str], waiting: dict[str, Any] | None) -> KeyRow:
        rotation = self.rotations.get(iam_user.pk)
        is_part = rotation is not None and key.pk in (rotation.old_key_id, rotation.new_key_id)
        delivery = self._change_of(iam_user, key)
        is_free = (delivery is None or gives_way(delivery)) and not is_part
        return KeyRow(
            key=key,
            age=key.age_days(at=self._at),
            due=due_of(key, organization=self._organization, at=self._at),
            known=key.known_from(iam_user.account),
            rotation=rotation if is_part else None,
            on_its_way=self._shown(delivery) if delivery else None,
            rotate_address=self._rotate_address(key, may) if is_free and rotation is None else "",
            changes=list(self._changes(key, may)) if is_free else [],
            waiting=waiting,
            ask=self._asks.get(key.pk),
            better=None if is_part or key.status != AccessKey.Status.ACTIVE else self._better_way(iam_user, key),
        )

    def _better_way(self, iam_user: IAMUser, key: AccessKey) -> BetterWay:
        tags = " ".join(f"{name} {value}" for name, value in iam_user.peoples_tags.items())
        use = Use(
            is_a_persons=iam_user.kind == IAMUser.Kind.PERSON,
            has_console_password=getattr(iam_user, "login_profile", None) is not None,
            was_ever_used=key.last_used_date is not None,
            is_unused=key.is_unused(at=self._at),
            words=f"{iam_user.user_name} {iam_user.purpose} {tags}",
        )
        return better_way(use)

    def _rotate_address(self, key: AccessKey, may: set[str]) -> str:
        is_active = key.status == AccessKey.Status.ACTIVE
        return reverse("start_rotation", args=[key.pk]) if is_active and "rotate" in may else ""

    def _changes(self, key: AccessKey, may: set[str]) -> Iterable[Change]:
        if "change" not in may:
            return
        if key.status == AccessKey.Status.ACTIVE:
            yield Change("Snooze reminders", reverse("snooze_reminders", args=[key.pk]))
            yield Change("Make key inactive", reverse("make_key_inactive", args=[key.pk]))
            return
        # An owner takes back only what they did themselves; the use-case asks again.
        if "activate" in may or self._made_inactive.get(key.access_key_id) == str(self._by.pk):
            yield Change("Make key active", reverse("make_key_active", args=[key.pk]))
        yield Change("Delete access key", reverse("delete_access_key", args=[key.pk]))

    def _may(self, iam_user: IAMUser) -> set[str]:
        """Which buttons to offer: courtesy only, the use-cases decide again."""
        if iam_user.gone_at is not None:
            return set()
        is_own = iam_user.owner_id == self._by.pk
        may_create = is_own or self._is_allowed(Permission.CREATE_ACCESS_KEY, iam_user)
        may_activate = self._is_allowed(Permission.CHANGE_ACCESS_KEYS, iam_user)
        found = {"rotate": may_create and iam_user.owner_id is not None, "change": is_own or may_activate}
        return {name for name, is_so in {**found, "activate": may_activate}.items() if is_so}

    def _is_allowed(self, to: Permission, iam_user: IAMUser) -> bool:
        asked = (to, iam_user.team_id)
        if asked not in self._allowed:
            self._allowed[asked] = access.may(by=self._by, to=to, organization=self._organization, team=iam_user.team)
        return self._allowed[asked]

    def _change_of(self, iam_user: IAMUser, key: AccessKey) -> Delivery | None:
        of_key = (
            delivery
            for delivery in self._deliveries.get(str(iam_user.pk), [])
            if delivery.entry.kind in CHANGES and delivery.entry.details["access_key_id"] == key.access_key_id
        )
        return next(of_key, None)

    def _shown(self, delivery: Delivery) -> Shown:
        shown = states.of_delivery(delivery, at=self._at)
        return Shown(f"{in_words(delivery.entry.kind)}: {shown.words.lower()}", shown.tone, shown.is_moving)

    def _open_rotations(self) -> dict[int, Rotation]:
        rows = Rotation.objects.open().filter(iam_user__in=[one.pk for one in self._iam_users])
        return {row.iam_user_id: row for row in rows.select_related("old_key", "new_key", "recipient", "started_by")}

    def _open_deliveries(self) -> dict[str, list[Delivery]]:
        """By the IAM user's id, oldest first."""
        about = self._entries()
        rows = Delivery.objects.open().filter(entry__in=about).select_related("entry").order_by("sequence", "pk")
        found: dict[str, list[Delivery]] = {}
        for delivery in rows:
            found.setdefault(delivery.entry.subject_id, []).append(delivery)
        return found

    def _who_made_inactive(self) -> dict[str, str]:
        """By the id of each inactive key: who made it so here, last."""
        entries = self._entries().filter(kind=Kind.ACCESS_KEY_DEACTIVATED).order_by("sequence")
        return {entry.details["access_key_id"]: entry.by_id for entry in entries.only("details", "by_id")}

    def _entries(self) -> Any:
        ids = [str(one.pk) for one in self._iam_users]
        return Entry.objects.of(self._organization).filter(Q(subject_type="iam_user", subject_id__in=ids))
