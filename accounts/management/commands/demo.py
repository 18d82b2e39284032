"""`manage.py demo`: (re)load the demo organizations into the database and the embedded AWS."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.management.demo_organizations import CannotLoad, load_demo


class Command(BaseCommand):
    """Loads the demo; only where AWS is embedded, since its password is known to everybody."""

    help = "Load the demo organizations, or load them again, into the database and the embedded AWS."

    def handle(self, **options: object) -> None:
        if not settings.AWS_IS_EMBEDDED:
            raise CommandError("The demo exists only with the embedded AWS, and this portal uses another.")
        try:
            for line in load_demo():
                self.stdout.write(line)
        except CannotLoad as error:
            raise CommandError(str(error)) from error
