"""The ledger's pages."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import IAMUser, Person
from accounts.usecases import iam_users
from portal.ledger.models import Entry
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def entry(lena: Person, ledger_reader: IAMUser) -> Entry:
    iam_users.tag_iam_user(
        by=lena, iam_user=ledger_reader, tags={"env": "prod"}, at=timezone.now(), reason="Asked by finance"
    )
    return Entry.objects.get()


@pytest.mark.parametrize(("who", "status"), [("olive", 200), ("ada", 200), ("lena", 403), ("hugo", 403), ("mia", 403)])
def test_owners_and_auditors_read_it(
    request: pytest.FixtureRequest, enter: Enter, entry: Entry, who: str, status: int
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(reverse("ledger")).status_code == status
    assert client.get(reverse("entry", args=[entry.pk])).status_code == status


def test_it_says_who_decided_what_on_what(enter: Enter, ada: Person, entry: Entry) -> None:
    text = enter(ada).get(reverse("ledger")).content.decode()

    assert "Set tags" in text
    assert "Lena" in text
    assert "user/portal/acme/payments/" in text


def test_an_entry_says_why_and_where_it_stands(enter: Enter, ada: Person, entry: Entry) -> None:
    text = enter(ada).get(reverse("entry", args=[entry.pk])).content.decode()

    assert "Asked by finance" in text
    assert "env = prod" in text
    assert "AWS account 111122223333" in text
    assert "Pending" in text
    assert entry.hash in text


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ({"q": "lena"}, True),
        ({"q": "finance"}, True),
        ({"q": "user/portal/acme/payments"}, True),
        ({"q": "olive"}, False),
        ({"kind": "accounts.iam_user.tagged"}, True),
        ({"kind": "accounts.iam_user.deleted"}, False),
        ({"since": "2099-01-01"}, False),
        ({"until": "2000-01-01"}, False),
    ],
)
def test_it_is_searched(enter: Enter, ada: Person, entry: Entry, query: dict[str, str], finds: bool) -> None:
    text = enter(ada).get(reverse("ledger"), query).content.decode()

    assert (reverse("entry", args=[entry.pk]) in text) is finds
