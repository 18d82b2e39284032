"""`manage.py up`: the whole portal, until Ctrl-C."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.supervisor.house import keep_up
from portal.supervisor.programs import CannotStart
from portal.supervisor.supervisor import Died, NotReady


class Command(BaseCommand):
    """Starts and supervises the embedded servers, the web server, the worker and beat."""

    help = "Starts and supervises the embedded servers, the web server, the worker and beat. Ctrl-C ends all of them."
    # The database may not be migrated yet, and the programs check themselves.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(keep_up(self._write, announcement))
        except CannotStart as error:
            raise CommandError(str(error)) from error
        except ExceptionGroup as group:
            _, unforeseen = group.split((CannotStart, Died, NotReady))
            if unforeseen:
                raise
            raise CommandError("\n".join(str(error) for error in group.exceptions)) from group

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def announcement() -> str:
    """What a person needs to know once it runs: where it is, who can sign in, where AWS is."""
    lines = ["", f"Gatehouse is ready: {settings.PORTAL_URL}"]
    if settings.AWS_IS_EMBEDDED:
        lines += [f"AWS is embedded. Its endpoint: {settings.AWS_ENDPOINT_URL}", "", *who_can_sign_in()]
    return "\n".join([*lines, "", "Ctrl-C ends it."])


def who_can_sign_in() -> list[str]:
    """The demo's people, a line each."""
    people = {
        "olive@acme.test": "owner of acme",
        "lena@acme.test": "lead of team Payments",
        "hugo@acme.test": "helpdesk of acme",
        "mia@acme.test": "member of team Payments",
        "ada@acme.test": "auditor of acme",
        "oskar@globex.test": "owner of globex",
    }
    return [
        "Sign in with the password gatehouse-demo as",
        *(f"    {email:<18} {duty}" for email, duty in people.items()),
    ]
