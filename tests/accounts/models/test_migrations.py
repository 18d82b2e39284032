"""A portal that is in use can be migrated: the guards are out of the way, and back afterwards."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Account, IAMUser, Organization, Person, Team
from accounts.usecases.iam_users import create_iam_user
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_tables_with_rows_are_rebuilt_and_guarded_again(
    payments: Team, acme_prod: Account, envelope: None, globex: Organization
) -> None:
    iam_user = factories.iam_user(acme_prod, "ledger-reader", team=payments)

    call_command("migrate", "accounts", "0001", verbosity=0)
    call_command("migrate", verbosity=0)

    assert IAMUser.objects.get() == iam_user
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_iamuser SET organization_id = %s", [globex.pk])


def test_who_said_whose_an_iam_user_is_is_told_for_rows_that_were_there(
    payments: Team, acme_prod: Account, envelope: None, lena: Person, mia: Person
) -> None:
    by_hand = create_iam_user(
        by=lena, team=payments, account=acme_prod, user_name="created", kind="person", at=timezone.now()
    )
    by_tags = factories.iam_user(acme_prod, "imported", owner=mia)
    nobodys = factories.iam_user(acme_prod, "nobodys")

    call_command("migrate", "accounts", "0003", verbosity=0)
    call_command("migrate", verbosity=0)

    said = {row.pk: (row.team_said_by, row.owner_said_by) for row in IAMUser.objects.all()}
    assert said == {by_hand.pk: ("hand", ""), by_tags.pk: ("", "tags"), nobodys.pk: ("", "")}
