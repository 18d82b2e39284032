"""Having an application read its key in Secrets Manager: who may decide it, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, IAMGroup, IAMUser, KeyDestination, Organization, Person, Team
from accounts.usecases.key_destinations import end_destination, set_destination
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def writer(acme_prod: Account, payments: Team, mia: Person, envelope: None) -> IAMUser:
    return factories.iam_user(
        acme_prod, "ledger,writer", team=payments, owner=mia, kind="application", purpose="Writes the ledger",
        path="/portal/acme/payments/",
    )  # fmt: skip


def put(by: Person, iam_user: IAMUser, **fields: Any) -> KeyDestination:
    given: dict[str, Any] = {"region": "eu-central-1", "rotate_every_days": 30}
    return set_destination(by=by, iam_user=iam_user, at=AT, **given | fields)


def test_the_owner_decides_it(writer: IAMUser, mia: Person) -> None:
    destination = put(mia, writer)

    assert (destination.secret_name, destination.region) == ("gatehouse/ledger-writer/access-key", "eu-central-1")
    entry = Entry.objects.get()
    assert (entry.kind, entry.details["rotate_every_days"]) == ("accounts.key_destination.set", 30)


def test_the_lead_and_the_owner_of_the_organization_may_too(writer: IAMUser, lena: Person, olive: Person) -> None:
    for person in (lena, olive):
        assert put(person, writer).set_by == person
    assert KeyDestination.objects.count() == 1


def test_others_may_not(
    leaves_nothing: Any, writer: IAMUser, acme: Organization, payments: Team, hugo: Person, ada: Person, oskar: Person
) -> None:
    other = factories.member("max@acme.test", Duty.MEMBER, of=acme, team=payments)

    for person, refusal in ((hugo, NotAllowed), (ada, NotAllowed), (other, NotThere), (oskar, NotThere)):
        with leaves_nothing(refusal):
            put(person, writer)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"region": "Frankfurt"}, "as AWS does"),
        ({"region": "eu-central-1.evil.test"}, "as AWS does"),
        ({"region": "eu-central-1\n"}, "as AWS does"),
        ({"rotate_every_days": 0}, "1"),
        ({"rotate_every_days": 366}, "365"),
    ],
)
def test_bad_input_leaves_nothing(
    leaves_nothing: Any, writer: IAMUser, mia: Person, fields: dict[str, Any], words: str
) -> None:
    with leaves_nothing(ValidationError, words):
        put(mia, writer, **fields)


def test_a_persons_own_is_not_put_where_others_read_it(leaves_nothing: Any, writer: IAMUser, mia: Person) -> None:
    IAMUser.objects.filter(pk=writer.pk).update(kind="person")

    with leaves_nothing(ValidationError, "is a person's"):
        put(mia, writer)


def test_not_while_a_rotation_is_open(leaves_nothing: Any, writer: IAMUser, mia: Person) -> None:
    factories.rotation(factories.access_key(writer))

    with leaves_nothing(ValidationError, "A rotation of ledger,writer is open"):
        put(mia, writer)


def test_it_ends_and_the_secret_stays(writer: IAMUser, mia: Person) -> None:
    put(mia, writer)

    end_destination(by=mia, iam_user=writer, at=AT)

    assert not KeyDestination.objects.exists()
    assert Entry.objects.order_by("-sequence")[0].kind == "accounts.key_destination.ended"


def test_what_is_not_there_does_not_end(leaves_nothing: Any, writer: IAMUser, mia: Person) -> None:
    with leaves_nothing(ValidationError, "sealed for its owner already"):
        end_destination(by=mia, iam_user=writer, at=AT)


def test_an_owner_by_tags_alone_puts_no_more_there_than_the_team_may_have(
    leaves_nothing: Any, writer: IAMUser, mia: Person, administrators: IAMGroup
) -> None:
    IAMUser.objects.filter(pk=writer.pk).update(owner_said_by=IAMUser.SaidBy.TAGS)
    factories.group_membership(writer, administrators)

    with leaves_nothing(OutsideEnvelope, "Only its tags say"):
        put(mia, writer)
