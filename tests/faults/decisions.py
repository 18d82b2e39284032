"""What people decide during the long fault run: by use-case, and through the pages of the running web server."""

import http.client
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.test import Client
from django.urls import reverse

from accounts.delivery.held import iam_of
from accounts.models import Account, Duty, IAMUser, Person, Team
from accounts.usecases import iam_users, iam_users_changes
from portal.aws.simulator.demo_accounts import ACCOUNTS, DemoAccount, document
from portal.ledger.deliver import CannotBeRetried, retry
from portal.ledger.models import Delivery
from tests import factories

PATH = "/chaos/"
POLICY = "ledger-read"
GROUPS = ("ledger-readers", "ledger-writers", "payments-operators")
PAUSE_SECONDS = 0.2
QUIET_SECONDS = 180
# A human looks at what waits, and tries it again, about this often.
LOOK_SECONDS = 3.0


@dataclass(frozen=True)
class Stage:
    """Who decides, for whom, where; `session` is the lead's, signed in to the web server."""

    lead: Person
    team: Team
    accounts: tuple[Account, ...]
    session: str
    dice: random.Random


def set_up(folder: Path, *, seed: int) -> Stage:
    """An organization with two of the demo's accounts, and its lead signed in."""
    organization = factories.organization("Chaos")
    accounts = tuple(
        factories.account(
            organization, demo.account_id, role_arn=demo.role_arn, external_id=demo.external_id, name=demo.alias
        )
        for demo in ACCOUNTS[:2]
    )
    team = factories.team(organization, "Chaos")
    groups = [group for account, demo in zip(accounts, ACCOUNTS, strict=False) for group in _groups(account, demo)]
    policies = [
        factories.iam_policy(account, POLICY, document=document("dynamodb:GetItem", "dynamodb:Query"))
        for account in accounts
    ]
    factories.envelope(team, path=PATH, accounts=accounts, groups=groups, policies=policies)
    lead = factories.member("lead@chaos.test", Duty.LEAD, of=organization, team=team)
    browser = Client()
    browser.force_login(lead)
    (folder / "staged").touch()
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return Stage(lead, team, accounts, session, random.Random(seed))


def _groups(account: Account, demo: DemoAccount) -> list:
    iam = iam_of(account)
    known = {name: iam.get_group(group_name=name) for name in GROUPS}
    return [factories.iam_group(account, name, group_id=told.group_id, arn=told.arn) for name, told in known.items()]


def decide_for(stage: Stage, *, seconds: int) -> Counter[str]:
    """Go on deciding; how many decisions of each sort the portal acknowledged."""
    choices: list[Callable[[Stage], bool]] = [
        _create,
        _create_on_the_page,
        _tag,
        _add,
        _remove,
        _delete,
        _rename,
        _attach,
        _detach,
    ]
    acknowledged: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        choice = stage.dice.choice(choices)
        try:
            acknowledged[choice.__name__.strip("_")] += choice(stage)
        except (ValidationError, IndexError):
            # Nothing to decide about yet, or it is being deleted already: people meet that too.
            pass
        except (OperationalError, InterfaceError, OSError, http.client.HTTPException):
            # The database or the web server is away: nobody was told that it is decided.
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return acknowledged


def _create(stage: Stage) -> bool:
    account = stage.dice.choice(stage.accounts)
    iam_users.create_iam_user(
        by=stage.lead,
        team=stage.team,
        account=account,
        user_name=_name(stage),
        kind="person",
        group_names=stage.dice.sample(GROUPS, k=stage.dice.randrange(3)),
        policy_arns=[_policy_arn(account)] if stage.dice.randrange(2) else [],
        tags={"stage": "prod"},
        at=datetime.now(UTC),
    )
    return True


def _name(stage: Stage) -> str:
    return f"user-{stage.dice.randrange(10**9)}"


def _create_on_the_page(stage: Stage) -> bool:
    account = stage.dice.choice(stage.accounts)
    fields = {"user_name": _name(stage), "kind": "person", "team": stage.team.pk, "account": account.pk}
    return _post(stage, reverse("create_iam_user"), fields) == http.HTTPStatus.FOUND


def _post(stage: Stage, path: str, fields: dict[str, object]) -> int:
    token = secrets.token_hex(16)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={stage.session}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
    }
    server = http.client.HTTPConnection("127.0.0.1", int(os.environ["CHAOS_WEB_PORT"]), timeout=30)
    try:
        server.request("POST", path, body=urlencode(fields), headers=headers)
        return server.getresponse().status
    finally:
        server.close()


def _any_user(stage: Stage) -> IAMUser:
    # Not those of the demo, which an import brings in meanwhile: they are not the team's.
    mine = IAMUser.objects.present().filter(team=stage.team).exclude(user_id="")
    return stage.dice.choice(list(mine.order_by("pk")))


def _tag(stage: Stage) -> bool:
    tags = {"stage": stage.dice.choice(["prod", "test"]), f"key-{stage.dice.randrange(5)}": "x"}
    iam_users.tag_iam_user(by=stage.lead, iam_user=_any_user(stage), tags=tags, at=datetime.now(UTC))
    return True


def _add(stage: Stage) -> bool:
    group_name, iam_user = stage.dice.choice(GROUPS), _any_user(stage)
    iam_users.add_iam_user_to_group(by=stage.lead, iam_user=iam_user, group_name=group_name, at=datetime.now(UTC))
    return True


def _remove(stage: Stage) -> bool:
    group_name, iam_user = stage.dice.choice(GROUPS), _any_user(stage)
    iam_users.remove_iam_user_from_group(by=stage.lead, iam_user=iam_user, group_name=group_name, at=datetime.now(UTC))
    return True


def _delete(stage: Stage) -> bool:
    iam_users.delete_iam_user(by=stage.lead, iam_user=_any_user(stage), reason="Chaos", at=datetime.now(UTC))
    return True


def _rename(stage: Stage) -> bool:
    iam_users_changes.rename_iam_user(
        by=stage.lead, iam_user=_any_user(stage), user_name=_name(stage), at=datetime.now(UTC)
    )
    return True


def _attach(stage: Stage) -> bool:
    iam_user = _any_user(stage)
    policy_arn = _policy_arn(iam_user.account)
    iam_users_changes.attach_policy(by=stage.lead, iam_user=iam_user, policy_arn=policy_arn, at=datetime.now(UTC))
    return True


def _detach(stage: Stage) -> bool:
    iam_user = _any_user(stage)
    policy_arn = _policy_arn(iam_user.account)
    iam_users_changes.detach_policy(by=stage.lead, iam_user=iam_user, policy_arn=policy_arn, at=datetime.now(UTC))
    return True


def _policy_arn(account: Account) -> str:
    return f"arn:aws:iam::{account.account_id}:policy/{POLICY}"


def wait_until_quiet() -> None:
    """What waits or was stranded too often is tried again, as a human would; the rest is the workers' and beat's."""
    end = time.monotonic() + QUIET_SECONDS
    while Delivery.objects.open().exists() and time.monotonic() < end:
        _let_an_hour_pass()
        for delivery in Delivery.objects.filter(Q(state="waiting") | Q(state="stuck", stuck_kind="unknown")):
            with suppress(CannotBeRetried):
                retry(delivery=delivery)
        time.sleep(LOOK_SECONDS)


def _let_an_hour_pass() -> None:
    """That a user made minutes ago is gone is believed only after AWS's quiet time, which is not waited for here."""
    young = IAMUser.objects.filter(create_date__gt=datetime.now(UTC) - timedelta(minutes=30))
    young.update(create_date=F("create_date") - timedelta(hours=1))
