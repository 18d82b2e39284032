"""`manage.py verify_ledger`: whether anybody rewrote what was decided."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Min

from portal.ledger import chain
from portal.ledger.models import Entry


class Command(BaseCommand):
    """Verifies every organization's chain; exits with 1 where one is broken, naming its first broken entry and why."""

    help = "Verify the chains of the ledger; exit with 1 where one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="Write the heads, to be kept elsewhere.")
        parser.add_argument("--against", type=Path, metavar="FILE", help="Check the heads that were kept elsewhere.")

    def handle(self, *, anchor: Path | None, against: Path | None, **options: object) -> None:
        # Read before anything is written: the two may be one file.
        anchors = _read(against) if against else []
        broken = [*_broken_chains(), *_broken_anchors(anchors)]
        for sentence in broken:
            self.stderr.write(sentence)
        if broken:
            raise CommandError("The ledger is broken.")
        if anchor:
            anchor.write_text("".join(json.dumps(head) + "\n" for head in chain.heads()))
        self.stdout.write(f"The ledger is whole: {Entry.objects.count()} entries.")


def _broken_chains() -> Iterator[str]:
    organizations = apps.get_model("accounts.Organization")._default_manager.order_by("pk")
    for organization in organizations:
        broken = chain.verify(organization)
        if broken:
            yield f"{organization}: entry {broken.sequence} is broken: {broken.why}."
    # Where foreign keys are not looked at, somebody could take the organization away from above its chain.
    left = Entry.objects.exclude(organization__in=organizations.values("pk")).order_by()
    for pk, first in left.values_list("organization_id").annotate(Min("sequence")):
        yield f"Organization {pk}: entry {first} is broken: its organization is missing."


def _broken_anchors(anchors: list[dict[str, str | int]]) -> Iterator[str]:
    for anchor in anchors:
        broken = chain.missing_from(anchor)
        if broken:
            yield f"Organization {anchor['organization']}: entry {broken.sequence} is broken: {broken.why}."


def _read(path: Path) -> list[dict[str, str | int]]:
    try:
        anchors = [chain.read_anchor(json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} is no file of anchors: {error}") from error
    if not anchors:
        # One that lost what it held would find nothing missing.
        raise CommandError(f"{path} is no file of anchors: it is empty.")
    return anchors
