"""The organization, team and account that the benchmarks decide in."""

from accounts.delivery.held import iam_of
from accounts.models import Account, Duty, IAMGroup, Team
from portal.aws.simulator.demo_accounts import ACCOUNTS
from tests import factories


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
