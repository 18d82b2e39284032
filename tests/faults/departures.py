"""The decisions of the long fault run about who comes and who leaves."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from accounts.models import Duty, Offboarding
from accounts.usecases import offboarding as offboardings
from tests import factories
from tests.faults.stage import Stage

# At once; so soon that it comes while others are still decided; or after the run.
DELETED_AFTER_SECONDS = (0, 5, 15, 3600)


def hire(stage: Stage) -> bool:
    """One more member, who may own IAM users; no decision of the ledger's."""
    with transaction.atomic():
        email = f"member-{stage.dice.randrange(10**9)}@chaos.test"
        factories.member(email, Duty.MEMBER, of=stage.team.organization, team=stage.team)
    return False


def offboard(stage: Stage) -> bool:
    """A member leaves."""
    now = datetime.now(UTC)
    offboardings.offboard_person(
        by=stage.dice.choice([stage.lead, stage.owner]),
        organization=stage.team.organization,
        person=stage.dice.choice(stage.members()),
        reason="Chaos",
        at=now,
        delete_after=now + timedelta(seconds=stage.dice.choice(DELETED_AFTER_SECONDS)),
    )
    return True


def undo(stage: Stage) -> bool:
    """They stay after all."""
    started = Offboarding.objects.filter(state=Offboarding.State.STARTED).select_related("organization", "person")
    row = stage.dice.choice(list(started.order_by("pk")))
    offboardings.undo_offboarding(by=stage.owner, offboarding=row, reason="Stays", at=datetime.now(UTC))
    return True


def follow(stage: Stage) -> bool:
    """Once more what beat does, so that two do it at once; whether it decided anything is for the ledger to say."""
    offboardings.follow_offboardings(at=datetime.now(UTC))
    return False
