"""The page of an IAM user: since when it is known, all that lets it in, and reading it anew."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Account, AccountImport, IAMUser, Person, Source
from portal.ledger.clock import database_now
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def page_of(enter: Enter, person: Person, iam_user: IAMUser) -> str:
    return enter(person).get(reverse("iam_user", args=[iam_user.pk])).content.decode()


def test_a_row_is_as_fresh_as_the_last_reading_of_its_account(ledger_writer: IAMUser) -> None:
    key, account = factories.access_key(ledger_writer), ledger_writer.account
    account.read_at, account.report_generated_at = database_now(), factories.READ_AT + timedelta(hours=1)

    assert ledger_writer.known_from(account).at == account.read_at
    assert key.known_from(account) == ledger_writer.access_keys.get().known_from(account)
    assert (key.known_from(account).source, key.known_from(account).at) == (
        "credential report",
        account.report_generated_at,
    )
    ledger_writer.source, ledger_writer.read_at = Source.GET_USER, database_now() + timedelta(minutes=1)
    assert ledger_writer.known_from(account).source == "IAM user"


def test_it_shows_all_that_lets_the_user_in(enter: Enter, lena: Person, ledger_writer: IAMUser) -> None:
    factories.iam_credential(ledger_writer, kind="service_specific_credential", service_name="codecommit.amazonaws.com")
    factories.login_profile(ledger_writer, password_reset_required=True)
    IAMUser.objects.update(
        attached_policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"], inline_policies={"inline-one": {}}
    )

    page = page_of(enter, lena, ledger_writer)

    for words in ("codecommit.amazonaws.com", "ReadOnlyAccess", "inline-one", "to be changed at the next sign-in"):
        assert words in page


def test_refreshing_shows_that_it_is_read_until_it_is(enter: Enter, lena: Person, ledger_writer: IAMUser) -> None:
    client = enter(lena)

    client.post(reverse("refresh_iam_user", args=[ledger_writer.pk]))
    again = client.post(reverse("refresh_iam_user", args=[ledger_writer.pk]), follow=True).content.decode()

    assert "is being read already" in again
    assert "Reading…" in again
    assert "every 1s" in again
    AccountImport.objects.update(state=AccountImport.State.APPLIED, finished_at=database_now())
    assert "every 1s" not in page_of(enter, lena, ledger_writer)


def test_a_reading_that_failed_says_so_until_something_newer_is_known(
    enter: Enter, lena: Person, ledger_writer: IAMUser
) -> None:
    factories.account_import(
        ledger_writer.account,
        iam_user=ledger_writer,
        state="failed",
        error="AWS denied GetUser.",
        finished_at=database_now(),
    )
    assert "AWS denied GetUser." in page_of(enter, lena, ledger_writer)

    Account.objects.update(read_at=database_now() + timedelta(minutes=1), source=Source.ACCOUNT_AUTHORIZATION_DETAILS)
    assert "AWS denied GetUser." not in page_of(enter, lena, ledger_writer)


HOSTILE = ('<script>alert("x")</script>', "‮gnp.exe", "{{ settings.SECRET_KEY }}", "{% debug %}")


def test_hostile_names_and_tags_are_shown_and_do_nothing(enter: Enter, lena: Person, ledger_writer: IAMUser) -> None:
    IAMUser.objects.update(
        tags={f"key {text}": text for text in HOSTILE}, inline_policies={text: {} for text in HOSTILE}
    )

    page = page_of(enter, lena, ledger_writer)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "{{ settings.SECRET_KEY }}" in page
    assert "{% debug %}" in page
