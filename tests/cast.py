"""The cast: who acts in the tests, in two organizations with their teams and AWS accounts."""

import pytest

from accounts.models import Account, Duty, IAMGroup, Organization, Person, Team
from tests import factories
from tests.aws.server import AWS


@pytest.fixture
def acme(db: None) -> Organization:
    return factories.organization("Acme")


@pytest.fixture
def globex(db: None) -> Organization:
    return factories.organization("Globex")


@pytest.fixture
def payments(acme: Organization) -> Team:
    """The team that Lena leads; its envelope is that of `envelope`."""
    return factories.team(acme, "Payments")


@pytest.fixture
def platform(acme: Organization) -> Team:
    """Another team of Acme, which nobody of the cast leads."""
    return factories.team(acme, "Platform")


@pytest.fixture
def core(globex: Organization) -> Team:
    return factories.team(globex, "Core")


@pytest.fixture
def olive(acme: Organization) -> Person:
    """Owner of Acme."""
    return factories.member("olive@acme.test", Duty.OWNER, of=acme)


@pytest.fixture
def lena(acme: Organization, payments: Team) -> Person:
    """Lead of Payments."""
    return factories.member("lena@acme.test", Duty.LEAD, of=acme, team=payments)


@pytest.fixture
def hugo(acme: Organization) -> Person:
    """Helpdesk of Acme."""
    return factories.member("hugo@acme.test", Duty.HELPDESK, of=acme)


@pytest.fixture
def mia(acme: Organization, payments: Team) -> Person:
    """Member of Payments."""
    return factories.member("mia@acme.test", Duty.MEMBER, of=acme, team=payments)


@pytest.fixture
def ada(acme: Organization) -> Person:
    """Auditor of Acme."""
    return factories.member("ada@acme.test", Duty.AUDITOR, of=acme)


@pytest.fixture
def oskar(globex: Organization) -> Person:
    """Owner of Globex."""
    return factories.member("oskar@globex.test", Duty.OWNER, of=globex)


@pytest.fixture
def acme_prod(acme: Organization) -> Account:
    """Acme's first AWS account, inside the envelope of Payments."""
    return factories.account(acme, "111122223333", name="acme-prod")


@pytest.fixture
def acme_dev(acme: Organization) -> Account:
    """Acme's second AWS account, outside every envelope."""
    return factories.account(acme, "222233334444", name="acme-dev")


@pytest.fixture
def globex_main(globex: Organization) -> Account:
    return factories.account(globex, "333344445555", name="globex-main")


@pytest.fixture
def ledger_writers(acme_prod: Account) -> IAMGroup:
    """A group inside the envelope of Payments."""
    return factories.iam_group(acme_prod, "ledger-writers")


@pytest.fixture
def administrators(acme_prod: Account) -> IAMGroup:
    """A group outside every envelope."""
    return factories.iam_group(acme_prod, "administrators")


@pytest.fixture
def envelope(payments: Team, acme_prod: Account, ledger_writers: IAMGroup) -> None:
    """Payments may act in acme-prod, under a path of its own, and hand out `ledger-writers`."""
    factories.envelope(payments, path="/portal/acme/payments/", accounts=[acme_prod], groups=[ledger_writers])


@pytest.fixture
def prod(aws: AWS, acme_prod: Account, envelope: None, administrators: IAMGroup) -> Account:
    """Acme's first account, with the portal's role and the groups of the cast in AWS too."""
    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)
    outside = aws.boto3(acme_prod.account_id)
    for row in IAMGroup.objects.filter(account=acme_prod):
        group = outside.create_group(GroupName=row.group_name)["Group"]
        row.group_id, row.arn, row.create_date = group["GroupId"], group["Arn"], group["CreateDate"]
        row.save()
    return acme_prod
