"""The dialog "Create IAM user"."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from portal.ledger.models import Delivery, Entry
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def post(enter: Enter, person: Person, *, team: Team, account: Account, htmx: bool = False, **fields: Any) -> Any:
    data = {"user_name": "ledger-writer", "kind": "person", "team": team.pk, "account": account.pk} | fields
    headers = {"HX-Request": "true"} if htmx else {}
    return enter(person).post(reverse("create_iam_user"), data, headers=headers)


def nothing_was_saved() -> bool:
    return not (IAMUser.objects.exists() or Entry.objects.exists() or Delivery.objects.exists())


def test_it_creates_and_leads_to_the_users_page(enter: Enter, lena: Person, payments: Team, acme_prod: Account) -> None:
    answer = post(
        enter,
        lena,
        team=payments,
        account=acme_prod,
        groups=["ledger-writers"],
        tags="cost-center = 4711",
        reason="New",
    )

    iam_user = IAMUser.objects.get()
    assert answer.headers["Location"] == reverse("iam_user", args=[iam_user.pk])
    assert (iam_user.user_name, iam_user.team, iam_user.path) == ("ledger-writer", payments, "/portal/acme/payments/")
    assert Entry.objects.get().details["groups"] == ["ledger-writers"]
    assert Delivery.objects.get().state == Delivery.State.DUE


def test_htmx_is_led_there_too(enter: Enter, lena: Person, payments: Team, acme_prod: Account) -> None:
    answer = post(enter, lena, team=payments, account=acme_prod, htmx=True)

    assert answer.headers["HX-Redirect"] == reverse("iam_user", args=[IAMUser.objects.get().pk])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"user_name": "a b/c"}, "1 to 64 letters"),
        ({"user_name": "x" * 65}, "1 to 64 letters"),
        ({"groups": ["administrators"]}, "Select a valid choice"),
        ({"groups": ["nowhere"]}, "Select a valid choice"),
        ({"tags": "no separator"}, "key = value"),
        ({"tags": "aws:x = 1"}, "not people"),
        ({"kind": "application"}, "Say what the application does"),
        ({"kind": "root"}, "Select a valid choice"),
    ],
)
def test_what_is_refused_is_said_at_the_field_and_what_was_typed_stays(
    enter: Enter,
    lena: Person,
    payments: Team,
    acme_prod: Account,
    administrators: IAMGroup,
    fields: dict[str, Any],
    sentence: str,
) -> None:
    answer = post(enter, lena, team=payments, account=acme_prod, **{"reason": "typed before"} | fields)

    assert sentence in answer.content.decode()
    assert "typed before" in answer.content.decode()
    assert nothing_was_saved()


def test_a_name_that_differs_only_in_case_is_refused(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account
) -> None:
    post(enter, lena, team=payments, account=acme_prod)

    answer = post(enter, lena, team=payments, account=acme_prod, user_name="Ledger-Writer")

    assert "upper and lower case count as the same" in answer.content.decode()
    assert IAMUser.objects.count() == 1


def test_another_organizations_team_or_account_is_no_choice(
    enter: Enter, oskar: Person, core: Team, globex_main: Account, payments: Team, acme_prod: Account
) -> None:
    for team, account in ((payments, acme_prod), (core, acme_prod), (payments, globex_main)):
        assert "Select a valid choice" in post(enter, oskar, team=team, account=account).content.decode()
    assert nothing_was_saved()


def test_an_account_outside_the_envelope_is_no_choice(
    enter: Enter, lena: Person, payments: Team, acme_dev: Account
) -> None:
    assert "Select a valid choice" in post(enter, lena, team=payments, account=acme_dev).content.decode()
    assert nothing_was_saved()


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, payments: Team, acme_prod: Account, who: str
) -> None:
    person = request.getfixturevalue(who)

    assert enter(person).get(reverse("create_iam_user")).status_code == 403
    assert post(enter, person, team=payments, account=acme_prod).status_code == 403
    assert nothing_was_saved()


def test_fields_that_the_form_does_not_have_change_nothing(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, globex: Any
) -> None:
    post(
        enter, lena, team=payments, account=acme_prod, organization=globex.pk, path="/", user_id="AIDAFAKE",
        permissions_boundary_arn="arn:x", gone_at="2020-01-01", read_at="2020-01-01", at="2020-01-01",
    )  # fmt: skip

    iam_user = IAMUser.objects.get()
    assert iam_user.organization == acme_prod.organization
    assert (iam_user.path, iam_user.user_id, iam_user.gone_at, iam_user.read_at) == (
        "/portal/acme/payments/",
        "",
        None,
        None,
    )
    assert Entry.objects.get().at.year > 2020


def test_the_fields_follow_the_account_and_keep_what_was_typed(
    enter: Enter, olive: Person, payments: Team, acme_prod: Account, acme_dev: Account, ledger_writers: IAMGroup
) -> None:
    query: dict[str, Any] = {"user_name": "half-typed", "team": payments.pk, "account": acme_dev.pk}

    text = enter(olive).get(reverse("create_iam_user_fields"), query).content.decode()

    assert "half-typed" in text
    assert "ledger-writers" not in text
    assert (
        "ledger-writers"
        in enter(olive).get(reverse("create_iam_user_fields"), query | {"account": acme_prod.pk}).content.decode()
    )


def test_a_forged_post_without_the_token_is_refused(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account
) -> None:
    client = enter(lena)
    client.handler.enforce_csrf_checks = True

    answer = client.post(reverse("create_iam_user"), {"user_name": "x", "team": payments.pk, "account": acme_prod.pk})

    assert answer.status_code == 403
    assert nothing_was_saved()
