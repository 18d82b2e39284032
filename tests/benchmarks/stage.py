"""The organization, team and account that the benchmarks decide in."""

from accounts.delivery.held import iam_of
from accounts.models import (
    AccessKey,
    Account,
    Duty,
    GroupMembership,
    IAMGroup,
    IAMUser,
    LoginProfile,
    MFADevice,
    Organization,
    Team,
)
from portal.aws.simulator.demo_accounts import ACCOUNTS, PORTAL_ROLE
from tests import factories
from tests.benchmarks.large_account import ACCOUNT


def stage(group_names: list[str]) -> tuple[Team, Account]:
    """A team that may hand out these groups of the demo's first account."""
    demo = ACCOUNTS[0]
    organization = factories.organization("Bench")
    account = factories.account(
        organization, demo.account_id, role_arn=demo.role_arn, external_id=demo.external_id, name="bench"
    )
    groups = [_known(account, name) for name in group_names]
    team = factories.team(organization, "Bench")
    factories.envelope(team, path="/bench/", accounts=[account], groups=groups)
    factories.member("bench@bench.test", Duty.LEAD, of=organization, team=team)
    return team, account


def _known(account: Account, name: str) -> IAMGroup:
    told = iam_of(account).get_group(group_name=name)
    return factories.iam_group(account, name, group_id=told.group_id, arn=told.arn)


def large_account(account_id: str) -> Account:
    """The portal's row of the large account, or of a copy of it with another number; made where it is not there."""
    known = Account.objects.filter(account_id=account_id).first()
    if known is not None:
        return known
    organization = Organization.objects.filter(slug="large").first() or factories.organization("Large")
    role_arn = f"arn:aws:iam::{account_id}:role/{PORTAL_ROLE}"
    external_id = ACCOUNT.external_id.replace(ACCOUNT.account_id, account_id)
    return factories.account(organization, account_id, role_arn=role_arn, external_id=external_id)


def rows(account: Account) -> int:
    """How many rows tell of the account's IAM users."""
    models = (IAMUser, AccessKey, LoginProfile, MFADevice, GroupMembership)
    return sum(model._default_manager.filter(account=account).count() for model in models)
