"""The pages of AWS accounts."""

import pytest
from django.urls import reverse

from accounts.models import Account, AccountImport, Person
from tests.accounts.views.conftest import Enter

NEW = {"account_id": "4444-5555-6666", "name": "acme-sandbox", "role_name": "gatehouse-portal"}

pytestmark = pytest.mark.usefixtures("envelope")


def test_an_owner_connects_an_account_and_is_shown_its_external_id(enter: Enter, olive: Person) -> None:
    client = enter(olive)

    answer = client.post(reverse("connect_account"), NEW)

    account = Account.objects.get(account_id="444455556666")
    assert account.role_arn == "arn:aws:iam::444455556666:role/gatehouse-portal"
    assert answer.headers["Location"] == reverse("connection", args=[account.pk])
    text = client.get(answer.headers["Location"]).content.decode()
    assert account.external_id in text
    assert "Not tested yet" in text


def test_nobody_chooses_the_external_id(enter: Enter, olive: Person) -> None:
    enter(olive).post(reverse("connect_account"), NEW | {"external_id": "mine"})

    assert Account.objects.get(account_id="444455556666").external_id != "mine"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"account_id": "12"}, "12 digits"),
        ({"role_name": "two words"}, "and no spaces"),
        ({"role_name": "arn:aws:iam::444455556666:role/x"}, "1 to 64 letters"),
        ({"account_id": "111122223333"}, "You have connected this account already: acme-prod"),
        ({"account_id": "333344445555"}, "This account cannot be connected here"),
    ],
)
def test_what_is_refused_is_said_at_the_field(
    enter: Enter, olive: Person, acme_prod: Account, globex_main: Account, change: dict[str, str], sentence: str
) -> None:
    before = Account.objects.count()

    text = enter(olive).post(reverse("connect_account"), NEW | change).content.decode()

    assert sentence in text
    assert Account.objects.count() == before


def test_a_form_that_is_a_page_of_its_own_puts_no_dialog_over_itself(enter: Enter, olive: Person) -> None:
    client, address = enter(olive), reverse("connect_account")

    assert 'hx-target="#dialog"' not in client.get(address).content.decode()
    assert 'hx-target="#dialog"' in client.get(address, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("who", ["lena", "hugo", "ada", "mia"])
def test_only_owners_and_admins_connect(request: pytest.FixtureRequest, enter: Enter, who: str) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.post(reverse("connect_account"), NEW).status_code == 403
    assert not Account.objects.filter(account_id="444455556666").exists()


def test_refreshing_puts_an_import_into_the_queue_once(enter: Enter, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)

    client.post(reverse("refresh_account", args=[acme_prod.pk]))
    answer = client.post(reverse("refresh_account", args=[acme_prod.pk]), follow=True)

    assert AccountImport.objects.count() == 1
    assert "being read already" in answer.content.decode()
    assert "hx-trigger" in client.get(reverse("account_progress", args=[acme_prod.pk])).content.decode()


def test_those_who_only_look_cannot_refresh(enter: Enter, ada: Person, acme_prod: Account) -> None:
    client = enter(ada)

    assert "Refresh now" not in client.get(reverse("account", args=[acme_prod.pk])).content.decode()
    assert client.post(reverse("refresh_account", args=[acme_prod.pk])).status_code == 403
    assert not AccountImport.objects.exists()


def test_only_those_who_connect_see_the_external_id(
    enter: Enter, ada: Person, lena: Person, acme_prod: Account
) -> None:
    for person in (ada, lena):
        text = enter(person).get(reverse("account", args=[acme_prod.pk])).content.decode()
        assert acme_prod.external_id not in text


def test_a_lead_sees_the_accounts_of_the_envelope_alone(
    enter: Enter, lena: Person, acme_prod: Account, acme_dev: Account
) -> None:
    client = enter(lena)

    text = client.get(reverse("accounts")).content.decode()
    assert "acme-prod" in text
    assert "acme-dev" not in text
    assert client.get(reverse("account", args=[acme_dev.pk])).status_code == 404


def test_an_account_that_cannot_be_entered_says_what_to_do(
    enter: Enter, olive: Person, hugo: Person, ada: Person, lena: Person, acme_prod: Account
) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(
        state=Account.State.UNREACHABLE,
        state_reason="AWS denied AssumeRole: account 111122223333 could not be entered.",
    )

    text = enter(olive).get(reverse("account", args=[acme_prod.pk])).content.decode()

    assert "could not be entered" in text
    assert "trusts the portal with the external ID" in text
    for person in (hugo, ada, lena):
        text = enter(person).get(reverse("account", args=[acme_prod.pk])).content.decode()
        assert "Until an owner or admin of your organization has put it right" in text
        assert "press Refresh now" not in text
