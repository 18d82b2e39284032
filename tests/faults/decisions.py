"""What people decide during the long fault run, and what must be true when all of it is quiet."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db.models import Count, Q

from accounts.delivery.held import iam_of
from accounts.models import Account, Duty, IAMUser, Person, Team
from accounts.usecases import iam_users
from portal.aws.iam.account import EntityType, UserDetail
from portal.aws.simulator.demo_accounts import ACCOUNTS
from portal.ledger import chain
from portal.ledger.deliver import CannotBeRetried, retry, sweep
from portal.ledger.models import Delivery, Entry
from tests import factories

PATH = "/chaos/"
GROUPS = ("ledger-readers", "ledger-writers", "payments-operators")
PAUSE_SECONDS = 0.3
QUIET_SECONDS = 180


@dataclass
class Comparison:
    """What differs, and how much was compared."""

    differences: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class Stage:
    """Who decides, for whom, where."""

    lead: Person
    team: Team
    account: Account


def run(*, seconds: int) -> Comparison:
    """Decide for so long, then wait until everything has arrived, then compare."""
    stage = _stage()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _decide(stage)
        sweep()
        time.sleep(PAUSE_SECONDS)
    _wait_until_quiet()
    return _compare(stage)


def _stage() -> Stage:
    demo = ACCOUNTS[0]
    organization = factories.organization("Chaos")
    account = factories.account(
        organization, demo.account_id, role_arn=demo.role_arn, external_id=demo.external_id, name="chaos"
    )
    iam = iam_of(account)
    rows = []
    for name in GROUPS:
        told = iam.get_group(group_name=name)
        rows.append(factories.iam_group(account, name, group_id=told.group_id, arn=told.arn))
    team = factories.team(organization, "Chaos")
    factories.envelope(team, path=PATH, accounts=[account], groups=rows)
    lead = factories.member("lead@chaos.test", Duty.LEAD, of=organization, team=team)
    return Stage(lead, team, account)


def _decide(stage: Stage) -> None:
    choices: list[Callable[[Stage], object]] = [_create, _create, _tag, _add, _remove, _delete]
    try:
        random.choice(choices)(stage)
    except (ValidationError, IndexError):
        # Nothing to decide about yet, or it is being deleted already: people meet that too.
        return


def _create(stage: Stage) -> None:
    iam_users.create_iam_user(
        by=stage.lead,
        team=stage.team,
        account=stage.account,
        user_name=f"user-{random.randrange(1_000_000)}",
        kind="person",
        group_names=random.sample(GROUPS, k=random.randrange(3)),
        tags={"stage": "prod"},
        at=datetime.now(UTC),
    )


def _any_user() -> IAMUser:
    return random.choice(list(IAMUser.objects.present().exclude(user_id="")))


def _tag(stage: Stage) -> None:
    tags = {"stage": random.choice(["prod", "test"]), f"key-{random.randrange(5)}": "x"}
    iam_users.tag_iam_user(by=stage.lead, iam_user=_any_user(), tags=tags, at=datetime.now(UTC))


def _add(stage: Stage) -> None:
    name = random.choice(GROUPS)
    iam_users.add_iam_user_to_group(by=stage.lead, iam_user=_any_user(), group_name=name, at=datetime.now(UTC))


def _remove(stage: Stage) -> None:
    name = random.choice(GROUPS)
    iam_users.remove_iam_user_from_group(by=stage.lead, iam_user=_any_user(), group_name=name, at=datetime.now(UTC))


def _delete(stage: Stage) -> None:
    iam_users.delete_iam_user(by=stage.lead, iam_user=_any_user(), reason="Chaos", at=datetime.now(UTC))


def _wait_until_quiet() -> None:
    """What waits long or was stranded too often is tried again, as a human would."""
    end = time.monotonic() + QUIET_SECONDS
    while Delivery.objects.open().exists() and time.monotonic() < end:
        for delivery in Delivery.objects.filter(Q(state="waiting") | Q(state="stuck", stuck_kind="unknown")):
            with suppress(CannotBeRetried):
                retry(delivery=delivery)
        sweep()
        time.sleep(PAUSE_SECONDS)


def _compare(stage: Stage) -> Comparison:
    details = iam_of(stage.account).get_account_authorization_details(filter=[EntityType.USER])
    in_aws = {user.user_id: user for user in details.user_detail_list if user.path == PATH}
    rows = {row.user_id: row for row in IAMUser.objects.present()}
    differences = [
        *(f"{row.user_name} is here and not in AWS" for key, row in rows.items() if key not in in_aws),
        *(f"{user.user_name} is in AWS and not here" for key, user in in_aws.items() if key not in rows),
        *(line for key in rows.keys() & in_aws.keys() for line in _differences(rows[key], in_aws[key])),
        *(f"{one.subject} is {one.state}: {one.error}" for one in Delivery.objects.exclude(state="done")),
    ]
    broken = chain.verify(stage.team.organization)
    states = Delivery.objects.values_list("state").annotate(count=Count("pk")).order_by("state")
    summary = f"{Entry.objects.count()} entries, {len(in_aws)} IAM users in AWS, deliveries {dict(states)}."
    return Comparison([*differences, *([f"the chain is broken: {broken}"] if broken else [])], summary)


def _differences(row: IAMUser, user: UserDetail) -> Iterator[str]:
    if row.user_name != user.user_name or row.tags != dict(user.tags):
        yield f"{row.user_name} has {row.tags} here and {dict(user.tags)} in AWS"
    groups = set(row.group_memberships.values_list("iam_group__group_name", flat=True))
    if groups != set(user.group_list):
        yield f"{row.user_name} is in {groups} here and in {set(user.group_list)} in AWS"
