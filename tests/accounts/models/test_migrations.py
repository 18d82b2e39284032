"""A portal that is in use can be migrated: the guards are out of the way, and back afterwards."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import Account, IAMUser, Organization, Team
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
