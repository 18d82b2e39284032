"""One IAM user with one access key for each run of the rotations' state machine, and what is true of it in AWS."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from moto.iam.models import AccessKeyLastUsed

from accounts.delivery import access_keys, baseline, held, key_status
from accounts.delivery import rotation as rotation_delivery
from accounts.importers import one_user
from accounts.importers.one_user import ToldOfOne
from accounts.models import AccessKey, Account, Duty, IAMUser, Person, Rotation
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.aws.server import AWS
from tests.faults.state_machine_house import Clock, Crash, Tenant, install

NAME = "mia"
LOCAL_CLOCKS = (access_keys, baseline, key_status, rotation_delivery, one_user)


@dataclass
class RunningClock(Clock):
    """It runs: of two readings of AWS one is later, as by the database's clock."""

    def now(self) -> datetime:
        """The time, later than when it was last asked."""
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class RotationHouse:
    """`known` are the ids of keys whose secret somebody has, `foreign` of those that the portal did not make."""

    tenant: Tenant
    mia: Person
    iam_user: IAMUser
    known: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    last_uses: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def new(cls, aws: AWS, clock: Clock) -> "RotationHouse":
        """Mia, with an IAM user and a key that she has had for long."""
        tenant = Tenant.new(aws, clock)
        mia = factories.member(
            f"mia@{tenant.account.account_id}.test", Duty.MEMBER, of=tenant.organization, team=tenant.team
        )
        outside = tenant.outside()
        user = outside.create_user(UserName=NAME)["User"]
        row = factories.iam_user(
            tenant.account, NAME, team=tenant.team, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"]
        )
        house = cls(tenant, mia, row)
        key = house.make_key()
        factories.access_key(row, access_key_id=key, create_date=clock.now(), read_at=clock.now())
        clock.tick(timedelta(hours=1))
        return house

    @property
    def account(self) -> Account:
        return self.tenant.account

    @property
    def clock(self) -> Clock:
        return self.tenant.clock

    # AWS, from outside

    def held(self) -> dict[str, Any]:
        """The IAM user's keys as moto holds them, by id."""
        return {key.access_key_id: key for key in self.tenant.in_aws()[NAME].access_keys}

    def statuses(self) -> dict[str, str]:
        """The same, by status."""
        return {access_key_id: key.status for access_key_id, key in self.held().items()}

    def usable(self) -> set[str]:
        """Those that work, and whose secret somebody has."""
        return {key for key, status in self.statuses().items() if status == "Active"} & self.known

    def make_key(self) -> str:
        """Somebody makes a key past the portal, and knows its secret."""
        made: str = self.tenant.outside().create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
        self.known.add(made)
        self.foreign.add(made)
        return made

    def use(self, access_key_id: str) -> None:
        """Somebody does something with it; AWS tells when, in whole seconds."""
        at = self.clock.now().replace(microsecond=0)
        self.held()[access_key_id].last_used = AccessKeyLastUsed(at, "s3", "us-east-1")
        self.last_uses[access_key_id] = at

    # The portal

    def rotations(self) -> list[Rotation]:
        """All of them, oldest first."""
        return list(Rotation.objects.filter(iam_user=self.iam_user).select_related("old_key", "new_key").order_by("pk"))

    def open_one(self) -> Rotation | None:
        """The one that has not ended."""
        return Rotation.objects.open().filter(iam_user=self.iam_user).first()

    def rows(self) -> dict[str, str]:
        """The keys that the portal says AWS holds, by status."""
        present = AccessKey.objects.present().filter(iam_user=self.iam_user)
        return dict(present.values_list("access_key_id", "status"))

    def read(self) -> ToldOfOne:
        """What AWS says of the IAM user now."""
        return one_user.fetch(held.iam_of(self.account), IAMUser.objects.get(pk=self.iam_user.pk))

    def apply(self, told: ToldOfOne) -> None:
        """Write it down, perhaps late."""
        with transaction.atomic():
            one_user.apply(self.account, told)

    def entries(self, kind: str) -> list[Entry]:
        """Of one kind, in order."""
        return list(Entry.objects.of(self.tenant.organization).filter(kind=kind).order_by("sequence"))

    def is_named_somewhere(self, access_key_id: str) -> bool:
        """Whether a row, a stuck delivery or what was said when one was given up names the key."""
        stuck = Delivery.objects.of(self.tenant.organization).stuck()
        entries = Entry.objects.of(self.tenant.organization).filter(kind="ledger.delivery.given_up")
        told = [*stuck.values_list("error", flat=True), *(str(entry.details) for entry in entries)]
        return access_key_id in self.rows() or any(access_key_id in words for words in told)


def live_by(monkeypatch: pytest.MonkeyPatch, clock: Clock, crash: Crash) -> None:
    """Let the portal and AWS live by this clock, and workers die as planned."""
    install(monkeypatch, clock, crash, [])
    for module in LOCAL_CLOCKS:
        monkeypatch.setattr(module, "database_now", clock.now)
    monkeypatch.setattr("moto.iam.models.utcnow", lambda: clock.now().astimezone(UTC).replace(tzinfo=None))
