"""The same form sent twenty times at once, or again while its outcome is on its way, decides once (A07)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import IAMUser, Person
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

TIMES = 20
NAMES = ["tag", "add", "remove", "delete", "reset", "key"]


@pytest.fixture
def forms(ledger_reader: IAMUser, olive: Person) -> dict[str, tuple[str, dict[str, str]]]:
    """Each dialog about one IAM user: its address, and what is sent. Olive stands above envelopes."""
    factories.iam_group(ledger_reader.account, "on-call")
    membership, pk = ledger_reader.group_memberships.get(), ledger_reader.pk
    return {
        "tag": (reverse("tag_iam_user", args=[pk]), {"tags": "stage = prod"}),
        "add": (reverse("add_to_group", args=[pk]), {"groups": "on-call"}),
        "remove": (reverse("remove_from_group", args=[pk, membership.pk]), {}),
        "delete": (reverse("delete_iam_user", args=[pk]), {"reason": "Unused"}),
        "reset": (reverse("reset_console_access", args=[pk]), {}),
        "key": (reverse("create_access_key", args=[pk]), {}),
    }


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(TIMES) as threads:
        yield threads


@pytest.mark.parametrize("name", NAMES)
def test_a_form_sent_again_decides_nothing_more(
    enter: Enter, olive: Person, forms: dict[str, tuple[str, dict[str, str]]], name: str
) -> None:
    client, (address, sent) = enter(olive), forms[name]

    first, second = (client.post(address, {"reason": "Asked for", **sent}) for _ in range(2))

    assert (first.status_code, second.status_code) == (302, 200)
    assert (Entry.objects.count(), Delivery.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_form_sent_twenty_times_at_once_decides_once(
    enter: Enter, olive: Person, crowd: ThreadPoolExecutor, forms: dict[str, tuple[str, dict[str, str]]], name: str
) -> None:
    start, (address, sent) = threading.Barrier(TIMES), forms[name]

    def send(client: Client) -> int:
        start.wait()
        try:
            return client.post(address, {"reason": "Asked for", **sent}).status_code
        finally:
            connection.close()

    codes = list(crowd.map(send, [enter(olive) for _ in range(TIMES)]))

    assert (codes.count(302), codes.count(200)) == (1, TIMES - 1)
    assert (Entry.objects.count(), Delivery.objects.count()) == (1, 1)


def test_another_value_is_another_decision(
    enter: Enter, olive: Person, forms: dict[str, tuple[str, dict[str, str]]]
) -> None:
    client, (address, sent) = enter(olive), forms["tag"]
    client.post(address, sent)

    answer = client.post(address, {"tags": "stage = dev"})

    assert answer.status_code == 302
    assert Entry.objects.count() == 2


def test_no_eleventh_group_slips_in_while_ten_are_on_their_way(
    enter: Enter, olive: Person, ledger_reader: IAMUser
) -> None:
    address = reverse("add_to_group", args=[ledger_reader.pk])
    names = [factories.iam_group(ledger_reader.account, f"group-{number}").group_name for number in range(10)]

    codes = [enter(olive).post(address, {"groups": name}).status_code for name in names]

    # It is in one group already.
    assert codes == [302] * 9 + [200]
    assert Entry.objects.count() == 9
