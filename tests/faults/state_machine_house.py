"""One organization with one AWS account for each run of the state machine, and the clock that it lives by."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from botocore.client import BaseClient

from accounts.delivery import access_keys, approvals, creation, groups, held, login_profiles, lost_keys
from accounts.models import Account, Duty, IAMGroup, IAMUser, Membership, Organization, Person, Team
from portal.aws import calls
from portal.aws.calls import Answer
from portal.ledger import deliver as worker
from portal.ledger import doorbell
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import Death
from tests.aws.server import AWS
from tests.faults.enumerated import let_the_quiet_time_pass

GROUPS = ["readers", "writers"]
# Outside the envelope: whoever leads the team asks for it.
OTHER_GROUP = "operators"
POLICY = "limit"
OUTSIDE_TAG = "made-by"
PATH = "/payments/"
# More than any delivery needs to arrive or to get stuck, with its quiet time and its longest back-off.
ROUNDS = 30
_numbers = count(1)


@dataclass
class Clock:
    """What the portal takes for the database's time; it never goes back, and only the test moves it."""

    at: datetime = field(default_factory=database_now)

    def now(self) -> datetime:
        """The time."""
        return self.at

    def tick(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by


@dataclass
class Crash:
    """When the next worker dies: `left` calls from now, before or after the call; None: it lives."""

    left: int | None = None
    is_after: bool = False

    def at_a_call(self, *, is_after: bool) -> None:
        """Count one call, and die if it is the one."""
        if self.left is None or is_after is not self.is_after:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            raise Death


@dataclass
class Tenant:
    """The organization of one run, its people and its account in AWS."""

    aws: AWS
    clock: Clock
    organization: Organization
    olive: Person
    lena: Person
    team: Team
    account: Account

    @classmethod
    def new(cls, aws: AWS, clock: Clock) -> "Tenant":
        """An organization that nobody has acted in yet, with its groups in AWS."""
        number = next(_numbers)
        organization = factories.organization(f"Acme{number}")
        olive = factories.member(f"olive@acme{number}.test", Duty.OWNER, of=organization)
        account = factories.account(organization, f"{number:012d}")
        team = factories.team(organization, "Payments")
        lena = factories.member(f"lena@acme{number}.test", Duty.LEAD, of=organization, team=team)
        aws.account(account.account_id, external_id=account.external_id)
        made = cls(aws, clock, organization, olive, lena, team, account)
        made._give_groups()
        return made

    def _give_groups(self) -> None:
        outside = self.outside()
        rows: list[IAMGroup] = []
        for name in (*GROUPS, OTHER_GROUP):
            group = outside.create_group(GroupName=name)["Group"]
            rows.append(factories.iam_group(self.account, name, group_id=group["GroupId"], arn=group["Arn"]))
        factories.envelope(self.team, path=PATH, accounts=[self.account], groups=rows[:-1])
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        outside.create_policy(PolicyName=POLICY, PolicyDocument=json.dumps(document))
        factories.iam_policy(self.account, POLICY, document=document)

    @property
    def policy_arn(self) -> str:
        """The one policy of the account, which may be attached and may bound."""
        return f"arn:aws:iam::{self.account.account_id}:policy/{POLICY}"

    def member(self) -> Person:
        """The one who owns what is made now; when the last one has left, another one has come."""
        duties = Membership.objects.active().filter(team=self.team, duty=Duty.MEMBER)
        found = Person.objects.filter(pk__in=duties.values("person")).first()
        email = f"mona{next(_numbers)}@acme.test"
        return found or factories.member(email, Duty.MEMBER, of=self.organization, team=self.team)

    def outside(self) -> Any:
        """AWS as somebody else's hands reach it."""
        return self.aws.boto3(self.account.account_id)

    def in_aws(self) -> dict[str, Any]:
        """The account's users by name, as moto holds them."""
        return dict(self.aws.backend(self.account.account_id).users)

    def tags(self, user_name: str) -> dict[str, str]:
        """The tags that AWS holds."""
        tags = self.aws.backend(self.account.account_id).list_user_tags(user_name)
        return {tag["Key"]: tag["Value"] for tag in tags}

    def groups(self, user_name: str) -> set[str]:
        """The groups that AWS holds the user in."""
        return {group.name for group in self.aws.backend(self.account.account_id).get_groups_for_user(user_name)}

    def delete_elsewhere(self, user_name: str) -> None:
        """Somebody else's hands delete the user, with all that hangs on it."""
        outside, user = self.outside(), self.in_aws()[user_name]
        for group in self.groups(user_name):
            outside.remove_user_from_group(UserName=user_name, GroupName=group)
        for key in list(user.access_keys):
            outside.delete_access_key(UserName=user_name, AccessKeyId=key.access_key_id)
        for arn in list(user.managed_policies):
            outside.detach_user_policy(UserName=user_name, PolicyArn=arn)
        for name in list(user.policies):
            outside.delete_user_policy(UserName=user_name, PolicyName=name)
        if user.password:
            outside.delete_login_profile(UserName=user_name)
        outside.delete_user(UserName=user_name)

    def row(self, user_name: str) -> IAMUser | None:
        """The portal's row of the name, of today and not of the past."""
        return IAMUser.objects.present().filter(account=self.account, user_name=user_name).first()

    def deliveries(self) -> list[Delivery]:
        """All of the organization, in order."""
        return list(Delivery.objects.of(self.organization).order_by("pk"))

    def quiesce(self) -> None:
        """Carry everything to its end, or to a human."""
        for _ in range(ROUNDS):
            deliver_due(at=self.clock.now())
            let_the_quiet_time_pass(Delivery.objects.of(self.organization))
            moving = Delivery.objects.of(self.organization).filter(state__in=["calling", "waiting"])
            waits = [time for pair in moving.values_list("not_before", "lease_until") for time in pair if time]
            if not waits:
                return
            self.clock.at = max([*waits, self.clock.at]) + timedelta(seconds=1)


def install(monkeypatch: pytest.MonkeyPatch, clock: Clock, crash: Crash, bell: list[int]) -> None:
    """Let the portal live by this clock, ring this bell, and die as planned."""
    for module in (held, creation, groups, login_profiles, access_keys, lost_keys, approvals, worker):
        monkeypatch.setattr(module, "database_now", clock.now)
    monkeypatch.setattr(calls, "call", _mortal(calls.call, crash))
    monkeypatch.setattr(doorbell.doorbell, "ring", lambda rung: bell.extend(delivery.pk for delivery in rung))


def _mortal(call: Callable[..., Answer], crash: Crash) -> Callable[..., Answer]:
    def mortal(client: BaseClient, operation: str, **parameters: object) -> Answer:
        crash.at_a_call(is_after=False)
        answer = call(client, operation, **parameters)
        crash.at_a_call(is_after=True)
        return answer

    return mortal
