"""Who may approve what: never who asked, whatever other duties they have."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import requestable
from accounts.kinds import Kind
from accounts.models import Duty, IAMGroup, IAMUser, Membership, Organization, Person, Request
from accounts.usecases.approved import CARRIED
from accounts.usecases.questions import ASKED
from tests import factories


def test_what_can_be_requested_can_be_asked_for_and_carried_out() -> None:
    assert set(requestable.REQUESTABLE) == set(ASKED) == set(CARRIED)


@pytest.mark.parametrize("kind", Kind)
def test_duties_and_envelopes_are_for_owners_alone(kind: Kind) -> None:
    """Whoever makes them requestable is reminded here."""
    known = requestable.REQUESTABLE.get(kind)
    is_high = kind.split(".")[1] in {"membership", "envelope"}
    assert known is None or not is_high or known.approvers == requestable.OWNERS


def test_the_list_to_decide_is_what_may_be_approved(
    olive: Person, lena: Person, ada: Person, oskar: Person, acme: Organization, ledger_writer: IAMUser,
    administrators: IAMGroup,
) -> None:  # fmt: skip
    admin = factories.member("admin@acme.test", Duty.ADMIN, of=acme)
    factories.membership(lena, Duty.ADMIN, of=acme)
    Membership.objects.exclude(person=admin).update(created_at=factories.READ_AT - timedelta(days=1))
    Membership.objects.filter(person=admin).update(created_at=timezone.now())
    old = factories.request(ledger_writer, by=lena)
    now = timezone.now()
    new = factories.request(ledger_writer, by=lena, made_at=now, expires_at=now + timedelta(days=1))

    may = {
        person.name: [row for row in (old, new) if requestable.may_approve(by=person, request=row)]
        for person in (olive, lena, ada, oskar, admin)
    }
    listed = {
        person.name: list(requestable.decidable_by(person, organization=acme).order_by("made_at"))
        for person in (olive, lena, ada, oskar, admin)
    }

    assert may == listed == {"Olive": [old, new], "Lena": [], "Ada": [], "Oskar": [], "Admin": [new]}
    assert Request.objects.count() == 2
