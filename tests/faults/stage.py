"""The organization of the long fault run: who decides, for whom, and in which of the demo's accounts."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.test import Client

from accounts.delivery.held import iam_of
from accounts.models import Account, Duty, IAMUser, Membership, Person, Team
from portal.aws.simulator.demo_accounts import ACCOUNTS, BOUNDARY, DemoAccount
from tests import factories

PATH = "/chaos/"
POLICY, OTHER_POLICY = "ledger-read", "payments-operate"
GROUPS = ("ledger-readers", "ledger-writers", "payments-operators")
# Outside the envelope, so that a lead must ask for it.
OTHER_GROUP = "payments-deployers"


@dataclass(frozen=True)
class Stage:
    """Who decides, for whom, where; `session` is the lead's, signed in to the web server.

    `seen` is what recipients saw of the secrets that they opened, by what each is bound to. `unseen` are those of which
    nobody can tell whether they were opened: the database went away at that moment.
    """

    lead: Person
    owner: Person
    team: Team
    accounts: tuple[Account, ...]
    session: str
    dice: random.Random
    seen: dict[str, str] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)

    def members(self) -> list[Person]:
        """Those of the team who have not left."""
        duties = Membership.objects.active().filter(team=self.team, duty=Duty.MEMBER)
        return list(Person.objects.filter(pk__in=duties.values("person")).order_by("pk"))

    def any_user(self, **having: object) -> IAMUser:
        """One of the team's in AWS: not one of the demo, which an import brings in meanwhile.

        :raises IndexError: when there is none.
        """
        mine = IAMUser.objects.present().filter(team=self.team, **having).exclude(user_id="")
        return self.dice.choice(list(mine.order_by("pk")))


def set_up(folder: Path, *, seed: int) -> Stage:
    """An organization with two of the demo's accounts, and its lead signed in."""
    organization = factories.organization("Chaos")
    accounts = tuple(
        factories.account(
            organization, demo.account_id, role_arn=demo.role_arn, external_id=demo.external_id, name=demo.alias
        )
        for demo in ACCOUNTS[:2]
    )
    team = factories.team(organization, "Chaos")
    groups = [group for account, demo in zip(accounts, ACCOUNTS, strict=False) for group in _groups(account, demo)]
    policies = [policy for account in accounts for policy in _policies(account)]
    factories.envelope(
        team,
        path=PATH,
        accounts=accounts,
        groups=[group for group in groups if group.group_name in GROUPS],
        policies=[policy for policy in policies if policy.policy_name == POLICY],
    )
    owner = factories.member("owner@chaos.test", Duty.OWNER, of=organization)
    lead = factories.member("lead@chaos.test", Duty.LEAD, of=organization, team=team)
    browser = Client()
    browser.force_login(lead)
    (folder / "staged").touch()
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return Stage(lead, owner, team, accounts, session, random.Random(seed))


def policy_arn(account: Account, name: str = POLICY) -> str:
    """The ARN of one of the account's own policies."""
    return f"arn:aws:iam::{account.account_id}:policy/{name}"


def _groups(account: Account, demo: DemoAccount) -> list:
    iam = iam_of(account)
    known = {name: iam.get_group(group_name=name) for name in (*GROUPS, OTHER_GROUP)}
    return [factories.iam_group(account, name, group_id=told.group_id, arn=told.arn) for name, told in known.items()]


def _policies(account: Account) -> list:
    iam = iam_of(account)
    told = [iam.get_policy(policy_arn=policy_arn(account, name)) for name in (POLICY, OTHER_POLICY, BOUNDARY)]
    return [
        factories.iam_policy(
            account,
            policy.policy_name,
            policy_id=policy.policy_id,
            default_version_id=policy.default_version_id,
            document=iam.get_policy_version(policy_arn=policy.arn, version_id=policy.default_version_id),
        )
        for policy in told
    ]
