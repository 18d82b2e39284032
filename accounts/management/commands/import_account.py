"""`manage.py import_account`: read one AWS account now, in the foreground."""

from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.management.readings import Reading, read_now
from accounts.models import Account, AccountImport


class Command(BaseCommand):
    """Imports one account and says what that took."""

    help = "Read one AWS account now; print the calls by operation, the IAM users and the seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", metavar="ID", help="The AWS account's 12 digits.")

    def handle(self, *, account_id: str, **options: object) -> None:
        account = Account.objects.filter(account_id=account_id).first()
        if account is None:
            raise CommandError(f"No account {account_id} is connected.")
        try:
            reading = read_now(account)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self._tell(account, reading)

    def _tell(self, account: Account, reading: Reading) -> None:
        for operation, count in sorted(reading.calls.items()):
            self.stdout.write(f"{count:>7,}  {operation}")
        if reading.account_import.state != AccountImport.State.APPLIED:
            raise CommandError(f"{account} could not be read: {reading.account_import.error}")
        self.stdout.write(f"{reading.calls.total():>7,}  calls")
        self.stdout.write(f"{reading.account_import.counts['iam_users']:>7,}  IAM users")
        self.stdout.write(f"{reading.seconds:>7.1f}  seconds")
