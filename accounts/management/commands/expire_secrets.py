"""`manage.py expire_secrets`: after a backup was restored, before anybody signs in."""

from django.core.management.base import BaseCommand

from accounts.usecases.sealed_secrets import expire_after_restore
from portal.ledger.clock import database_now


class Command(BaseCommand):
    """Wipes every secret that waits: one that was opened since the backup would open a second time."""

    help = "Wipe every secret that waits to be opened. Run it after restoring a backup, before the portal starts."

    def handle(self, **options: object) -> None:
        expired = expire_after_restore(by=None, at=database_now())
        self.stdout.write(f"{len(expired)} {'secret' if len(expired) == 1 else 'secrets'} wiped. No key was changed.")
