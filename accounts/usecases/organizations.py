"""Deciding that there shall be an organization."""

from __future__ import annotations

import secrets
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from accounts import access
from accounts.kinds import Kind
from accounts.models import Duty, Membership, Organization, Person
from accounts.usecases.records import about
from portal.ledger.record import record


@transaction.atomic
def create_organization(
    *, by: Person | None, name: str, owner_email: str, at: datetime, owner_name: str = ""
) -> Membership:
    """Make an organization and its first owner, whose membership it returns.

    Only who runs commands on the server may: `by` is None. An owner who is new here has no password, so they sign in
    once they were invited; their e-mail counts as verified, because whoever runs the command vouches for it. Of
    somebody who is here already nothing changes but the membership.

    :raises access.NotThere: for any person of the portal.
    :raises ValidationError: by field, for a name that is taken, an e-mail that is none, or an owner who is disabled.
    """
    access.require_operator(by=by)
    organization = _new_organization(name.strip(), at)
    owner, is_new = _owner(owner_email.strip().lower(), owner_name.strip(), at)
    membership = Membership.objects.create(person=owner, organization=organization, duty=Duty.OWNER, created_at=at)
    record(
        organization=organization,
        kind=Kind.ORGANIZATION_CREATED,
        by=by,
        subject=about(organization),
        at=at,
        details={"name": organization.name, "owner": owner.email, "owner_is_new": is_new},
    )
    return membership


def _new_organization(name: str, at: datetime) -> Organization:
    # A name without any Latin letter has no slug of its own.
    slug = slugify(name)[:60] or f"organization-{secrets.token_hex(4)}"
    organization = Organization(name=name, slug=slug, created_at=at)
    if Organization.objects.filter(name__iexact=name).exists() or Organization.objects.filter(slug=slug).exists():
        raise ValidationError({"name": f"There is an organization called {name} already."})
    organization.full_clean()
    organization.save(force_insert=True)
    return organization


def _owner(email: str, name: str, at: datetime) -> tuple[Person, bool]:
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError({"owner": f"“{email}” is no e-mail address."}) from None
    person = Person.objects.filter(email__iexact=email).first()
    if person is None:
        return _new_person(email, name or email.split("@")[0], at), True
    if not person.is_active:
        raise ValidationError({"owner": f"{email} is disabled here: choose another owner."})
    return person, False


def _new_person(email: str, name: str, at: datetime) -> Person:
    person = Person.objects.create_person(email=email, name=name, created_at=at)
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person
