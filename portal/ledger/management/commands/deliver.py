"""`manage.py deliver`: deliver what is due, once, in the foreground."""

from django.core.management.base import BaseCommand

from portal.ledger import deliver


class Command(BaseCommand):
    """Carries to AWS what is due, without broker and worker."""

    help = "Deliver what is due to AWS, once, in the foreground."

    def handle(self, **options: object) -> None:
        attempts = deliver.deliver_due()
        self.stdout.write(f"Attempts: {attempts}")
