"""`manage.py create_organization`: the first organization of a real installation, and its owner."""

from argparse import ArgumentParser
from datetime import timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.models import Membership, Person
from accounts.usecases.organizations import create_organization
from portal.ledger.clock import database_now


class Command(BaseCommand):
    """Makes an organization and prints the link by which its owner chooses a password."""

    help = "Make an organization; print the link by which its owner chooses a password and signs in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="What the organization is called.")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="Who owns it; you vouch for the e-mail.")
        parser.add_argument("--owner-name", default="", metavar="NAME", help="What the owner is called, if new here.")

    def handle(self, *, name: str, owner: str, owner_name: str, **options: object) -> None:
        known = Person.objects.filter(email__iexact=owner.strip()).exists()
        try:
            membership = create_organization(
                by=None, name=name, owner_email=owner, owner_name=owner_name, at=database_now()
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{membership.organization} is there, and {membership.person.email} is its owner.")
        self._tell_how_to_sign_in(membership, known=known)

    def _tell_how_to_sign_in(self, membership: Membership, *, known: bool) -> None:
        if known:
            self.stdout.write("They have been here before and sign in as they do.")
            return
        days = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT).days
        self.stdout.write(f"Send them this link; it lets whoever has it choose the password, for {days} days:")
        self.stdout.write(invitation(membership.person))


def invitation(person: Person) -> str:
    """The address at which the person chooses a password: allauth's, as its mail to who forgot theirs has it."""
    key = default_token_generator.make_token(person)
    arguments = {"uidb36": user_pk_to_url_str(person), "key": key}
    return settings.PORTAL_URL + reverse("account_reset_password_from_key", kwargs=arguments)
