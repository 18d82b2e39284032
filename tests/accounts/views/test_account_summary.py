"""What the page of an account says of the account as a whole."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Account, AccountImport, IAMProvider, Person, Source
from accounts.views import summaries
from tests import factories
from tests.accounts.views.conftest import Enter

SUMMARY = {"Users": 41, "UsersQuota": 5000, "Groups": 9, "GroupsQuota": 300, "AccountMFAEnabled": 1}
POLICY = {"minimum_password_length": 14, "require_numbers": True, "require_symbols": True, "max_password_age": 90}


def test_quotas_root_and_passwords_are_told(enter: Enter, olive: Person, acme_prod: Account) -> None:
    Account.objects.update(
        summary=SUMMARY,
        password_policy=POLICY,
        source=Source.ACCOUNT_AUTHORIZATION_DETAILS,
        read_at=factories.READ_AT,
        report_generated_at=factories.READ_AT - timedelta(hours=3),
    )
    factories.iam_provider(acme_prod, "okta", valid_until=factories.READ_AT)

    page = enter(olive).get(reverse("account", args=[acme_prod.pk])).content.decode()

    for words in ("41 of 5000", "9 of 300", "Has MFA, no access keys", "saml-provider/okta"):
        assert words in page
    assert "At least 14 characters with digits, symbols, for 90 days" in page
    assert "Passwords and last uses from the credential report" in page


def test_without_a_policy_of_its_own_awss_default_holds(acme_prod: Account) -> None:
    assert summaries.passwords(acme_prod) == summaries.DEFAULT
    assert summaries.root(acme_prod) == "Has no MFA, no access keys"


@pytest.mark.parametrize("total", [0, 5000])
def test_a_reading_says_how_far_it_is(enter: Enter, olive: Person, acme_prod: Account, total: int) -> None:
    progress = {"doing": "Reading users, groups, roles and policies", "done": 1000, "total": total}
    factories.account_import(acme_prod, state=AccountImport.State.READING, progress=progress)

    page = enter(olive).get(reverse("account_progress", args=[acme_prod.pk])).content.decode()

    assert "Reading users, groups, roles and policies" in page
    assert ("1000 of 5000" if total else "1000") in page
    assert "every 1s" in page


def test_providers_that_are_gone_are_not_shown(enter: Enter, olive: Person, acme_prod: Account) -> None:
    Account.objects.update(summary=SUMMARY, source=Source.ACCOUNT_AUTHORIZATION_DETAILS, read_at=factories.READ_AT)
    factories.iam_provider(acme_prod, "old", gone_at=factories.READ_AT, kind=IAMProvider.Kind.OIDC)

    assert "saml-provider/old" not in enter(olive).get(reverse("account", args=[acme_prod.pk])).content.decode()
