"""Making an organization: for whoever runs commands on the server, and nobody else."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from accounts.access import NotThere
from accounts.models import Duty, Membership, Organization, Person
from accounts.usecases.organizations import create_organization
from portal.ledger.models import Entry
from tests import factories

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_it_has_an_owner_and_an_entry(db: None) -> None:
    membership = create_organization(by=None, name=" Acme Inc ", owner_email="Olive@Acme.test", at=AT)

    assert (membership.duty, membership.created_at) == (Duty.OWNER, AT)
    assert (membership.organization.name, membership.organization.slug) == ("Acme Inc", "acme-inc")
    entry = Entry.objects.of(membership.organization).get()
    assert (entry.kind, entry.by_id, entry.by_name) == ("accounts.organization.created", "", "Gatehouse")
    assert entry.details == {"name": "Acme Inc", "owner": "olive@acme.test", "owner_is_new": True}


def test_an_owner_who_is_new_cannot_sign_in_by_a_password_yet(db: None) -> None:
    owner = create_organization(by=None, name="Acme", owner_email="Olive@Acme.test", owner_name="Olive", at=AT).person

    assert (owner.email, owner.name, owner.has_usable_password()) == ("olive@acme.test", "Olive", False)
    address = EmailAddress.objects.get(user=owner)
    assert (address.email, address.verified, address.primary) == ("olive@acme.test", True, True)


def test_of_somebody_who_is_here_nothing_changes_but_the_membership(oskar: Person) -> None:
    before = Person.objects.filter(pk=oskar.pk).values().get()

    membership = create_organization(by=None, name="Acme", owner_email="OSKAR@globex.test", owner_name="X", at=AT)

    assert membership.person == oskar
    assert Person.objects.filter(pk=oskar.pk).values().get() == before
    assert not EmailAddress.objects.exists()
    assert Entry.objects.get().details["owner_is_new"] is False


def test_a_name_without_latin_letters_is_a_name(db: None) -> None:
    first = create_organization(by=None, name="日本電産", owner_email="a@nidec.test", at=AT)
    second = create_organization(by=None, name="日立", owner_email="a@nidec.test", at=AT)

    assert first.organization.name == "日本電産"
    assert first.organization.slug != second.organization.slug


def test_no_person_makes_one(olive: Person, leaves_nothing: Block) -> None:
    with leaves_nothing(NotThere):
        create_organization(by=olive, name="Mine", owner_email=olive.email, at=AT)


@pytest.mark.parametrize(
    ("name", "owner", "field"),
    [
        ("acme", "new@acme.test", "name"),
        ("ACME", "new@acme.test", "name"),
        ("Acme!", "new@acme.test", "name"),
        ("  ", "new@acme.test", "name"),
        ("x" * 121, "new@acme.test", "name"),
        ("New", "nobody", "owner"),
        ("New", "", "owner"),
        ("New", "gone@acme.test", "owner"),
    ],
)
def test_bad_input_leaves_nothing(acme: Organization, leaves_nothing: Block, name: str, owner: str, field: str) -> None:
    factories.person("gone@acme.test", is_active=False)

    with leaves_nothing(ValidationError) as refused:
        create_organization(by=None, name=name, owner_email=owner, at=AT)

    assert field in refused.value.message_dict
    assert not Membership.objects.exists()
