"""What nobody types and anybody can send: no field and no address answers it with a fault."""

import pytest
from django.urls import reverse

from accounts.models import Account, IAMUser, Person, Team
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

HUGE = "9" * 5000
LISTS = ["team", "deliveries", "ledger", "accounts"]
SENT = ["\x00", "\u202e", "<script>", "{{7*7}}", "{0.__class__}", HUGE, "9" * 30, "-1", "٣", "²", "1;2"]


@pytest.mark.parametrize("value", SENT)
@pytest.mark.parametrize("field", ["team", "account", "owner", "kind", "groups"])
def test_a_choice_that_is_none_is_refused_in_words(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, envelope: None, field: str, value: str
) -> None:
    client = enter(lena)
    sent: dict[str, str | int] = {"user_name": "batch", "kind": "person", "team": payments.pk, "account": acme_prod.pk}
    sent[field] = value

    assert client.post(reverse("create_iam_user"), sent).status_code == 200
    assert client.get(reverse("create_iam_user_fields"), sent).status_code == 200
    assert not IAMUser.objects.exists()


@pytest.mark.parametrize("value", [*SENT, "a\nb", "../x", "x" * 65, "=1+1"][1:])
def test_a_name_that_aws_would_refuse_leaves_nothing(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, envelope: None, value: str
) -> None:
    sent = {"user_name": f"{value}!", "kind": "person", "team": payments.pk, "account": acme_prod.pk}

    answer = enter(lena).post(reverse("create_iam_user"), sent)

    assert answer.status_code == 200
    assert b"<script>!" not in answer.content
    assert not IAMUser.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "asked", ["per_page=-1", "per_page=0", "page=-1", f"page={HUGE}", f"per_page={HUGE}", "sort=%00"]
)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_answers_whatever_page_is_asked_for(enter: Enter, olive: Person, name: str, asked: str) -> None:
    assert enter(olive).get(f"{reverse(name)}?{asked}").status_code == 200


def test_no_address_asks_for_all_rows_at_once(enter: Enter, olive: Person, acme_prod: Account) -> None:
    for number in range(60):
        factories.iam_user(acme_prod, f"reader-{number}")

    answer = enter(olive).get(f"{reverse('team')}?per_page=1000")

    assert len(answer.context["page"].shown) == 50


@pytest.mark.parametrize("value", ["\x00", "x" * 100_000])
@pytest.mark.parametrize("field", ["q", "kind", "since", "until"])
def test_an_export_that_cannot_be_narrowed_so_is_none(enter: Enter, olive: Person, field: str, value: str) -> None:
    answer = enter(olive).post(reverse("export_ledger", args=["csv"]), {field: value})

    assert answer.headers["Location"] == reverse("ledger")
    assert not Entry.objects.exists()


@pytest.mark.parametrize("model", ["iamuser", "person", "account"])
def test_the_records_room_answers_a_search_of_a_thousand_words(enter: Enter, olive: Person, model: str) -> None:
    answer = enter(olive).get(reverse(f"admin:accounts_{model}_changelist"), {"q": "a " * 1800})

    assert answer.status_code == 200
