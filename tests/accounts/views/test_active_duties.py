"""How often a request asks the database for the duties of whoever asks."""

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Duty, IAMUser, Membership, Organization, Person
from accounts.views.organization import CurrentOrganizationMiddleware
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.django_db
OF_DUTIES = 'FROM "accounts_membership" INNER JOIN "accounts_person"'


def test_a_page_that_only_shows_reads_them_once(enter: Enter, lena: Person, ledger_writer: IAMUser) -> None:
    client = enter(lena)

    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("iam_user", args=[ledger_writer.pk])).status_code == 200

    # Not those in which a condition on other rows asks for them.
    assert len([one for one in queries if OF_DUTIES in one["sql"].partition(" WHERE ")[0]]) == 1


@pytest.mark.parametrize(("method", "is_kept"), [("get", True), ("head", True), ("post", False), ("delete", False)])
def test_what_may_change_something_asks_each_time(acme: Organization, lena: Person, method: str, is_kept: bool) -> None:
    request = getattr(RequestFactory(), method)("/")
    request.user, request.session = Person.objects.get(pk=lena.pk), {}

    CurrentOrganizationMiddleware(lambda request: None)(request)  # type: ignore[arg-type, return-value]
    Membership.objects.of(lena).update(ended_at=timezone.now())

    assert bool(request.user.active_duties_in(acme)) == is_kept
    assert not Person.objects.get(pk=lena.pk).active_duties_in(acme)


def test_a_duty_that_has_ended_ends_with_the_next_page(enter: Enter, lena: Person) -> None:
    client = enter(lena)
    assert client.get(reverse("team")).status_code == 200

    Membership.objects.of(lena).update(ended_at=timezone.now())

    assert client.get(reverse("team")).status_code == 404


def test_what_was_read_is_of_the_organization_that_is_asked(acme: Organization, lena: Person) -> None:
    other = factories.organization("Other")
    mine = factories.membership(lena, Duty.MEMBER, of=other)

    lena.read_active_duties()

    assert lena.active_duties_in(other) == [mine]
    assert mine not in lena.active_duties_in(acme)
    assert {one.organization for one in lena.active_duties()} == {acme, other}
