"""Grants carried to AWS: what arrives late is not begun, and what is over is taken out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, GroupGrant, IAMUser, Person, Team
from accounts.usecases.group_grants import end_due_grants, grant_group
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import deliver_until_quiet, users
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME = "ledger-writer"
DAY = timedelta(days=1)


@pytest.fixture
def granted(aws: AWS, prod: Account, payments: Team, lena: Person) -> GroupGrant:
    """Ledger-writers for a day, not carried yet."""
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName=NAME)
    told = iam.get_user(UserName=NAME)["User"]
    iam_user = factories.iam_user(
        prod, NAME, team=payments, user_id=told["UserId"], create_date=told["CreateDate"] - timedelta(hours=1)
    )
    now = timezone.now()
    return grant_group(by=lena, iam_user=iam_user, group_name="ledger-writers", until=now + DAY, at=now)


def groups(aws: AWS, account: Account) -> set[str]:
    return set(users(aws, account)[NAME]["groups"])


def test_it_arrives_and_is_taken_out_when_its_time_is_over(aws: AWS, prod: Account, granted: GroupGrant) -> None:
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert groups(aws, prod) == {"ledger-writers"}

    end_due_grants(at=granted.until)
    assert deliver_until_quiet().state == Delivery.State.DONE

    assert groups(aws, prod) == set()
    assert not IAMUser.objects.get().group_memberships.exists()


def test_what_is_carried_after_its_time_is_not_begun(aws: AWS, prod: Account, granted: GroupGrant) -> None:
    """Also before beat has ended it."""
    GroupGrant.objects.update(made_at=factories.READ_AT, until=factories.READ_AT + DAY)

    assert deliver_until_quiet().state == Delivery.State.DONE

    assert "AddUserToGroup" not in [call.operation for call in aws.trace]
    assert groups(aws, prod) == set()


def test_another_grant_that_still_runs_has_it_carried(
    aws: AWS, prod: Account, olive: Person, granted: GroupGrant
) -> None:
    now = timezone.now()
    grant_group(by=olive, iam_user=granted.iam_user, group_name="ledger-writers", until=now + 3 * DAY, at=now)
    end_due_grants(at=granted.until)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert groups(aws, prod) == {"ledger-writers"}


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER])
def test_one_whose_answer_was_lost_is_taken_out(aws: AWS, prod: Account, granted: GroupGrant, fault: Fault) -> None:
    """AWS has added it, and the portal never heard so."""
    aws.faults.inject("AddUserToGroup", fault, times=20)
    deliver_until_quiet()
    assert groups(aws, prod) == {"ledger-writers"}

    end_due_grants(at=granted.until)
    deliver_until_quiet()

    assert groups(aws, prod) == set()
