"""Somebody leaves whose IAM user has everything on it: it is disabled, and enabled again."""

from datetime import timedelta

from accounts.kinds import Kind
from accounts.models import Duty, IAMUser, Offboarding, Person
from accounts.usecases.offboarding import offboard_person, undo_offboarding
from portal.ledger.clock import database_now
from tests import factories
from tests.faults.enumerated import House, Scenario, a_user_with_everything, quiesce

LEAVER = "mona@acme.test"


def somebody_with_everything(house: House) -> None:
    """A member of the team, whose IAM user has everything on it."""
    row = a_user_with_everything(house)
    leaver = factories.member(LEAVER, Duty.MEMBER, of=house.team.organization, team=house.team)
    IAMUser.objects.filter(pk=row.pk).update(owner=leaver)


def somebody_disabled(house: House) -> None:
    """The same, once they were offboarded and that has arrived."""
    somebody_with_everything(house)
    offboard(house)
    quiesce()


def offboard(house: House, *, delay: timedelta = timedelta(days=7)) -> Offboarding:
    """Olive decides that they leave."""
    leaver, now = Person.objects.get(email=LEAVER), database_now()
    return offboard_person(
        by=house.olive,
        organization=house.team.organization,
        person=leaver,
        reason="Leaves the company",
        at=now,
        delete_after=now + delay,
    )


def _undo(house: House) -> None:
    undo_offboarding(by=house.olive, offboarding=Offboarding.objects.get(), reason="Stays", at=database_now())


SCENARIOS = {
    "disable": Scenario(Kind.IAM_USER_DISABLED, somebody_with_everything, offboard),
    "enable": Scenario(Kind.IAM_USER_ENABLED, somebody_disabled, _undo),
}
