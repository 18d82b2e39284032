"""What people decide during the long fault run: by use-case, and through the pages of the running web server."""

import http.client
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection
from django.urls import reverse

from accounts import access
from accounts.usecases import iam_users, iam_users_changes
from portal.aws.simulator.demo_accounts import BOUNDARY
from portal.secrets import seal
from tests.faults import access_decisions, departures
from tests.faults.stage import GROUPS, PATH, Stage, policy_arn

PAUSE_SECONDS = 0.1
# What each of the others needs something of.
OFTEN = 3


def decide_for(stage: Stage, *, seconds: int) -> Counter[str]:
    """Go on deciding; how many decisions of each sort the portal acknowledged."""
    acknowledged: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        choice = stage.dice.choice(CHOICES)
        try:
            acknowledged[choice.__name__.strip("_")] += choice(stage)
        except (ValidationError, IndexError, access.NotThere, seal.AlreadyOpened, seal.Expired):
            # Nothing to decide about yet, or it is being deleted already: people meet that too.
            pass
        except (OperationalError, InterfaceError, OSError, http.client.HTTPException):
            # The database or the web server is away: nobody was told that it is decided.
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return acknowledged


def _create(stage: Stage) -> bool:
    account, owner = stage.dice.choice(stage.accounts), stage.dice.choice([None, *stage.members()])
    iam_users.create_iam_user(
        by=stage.lead,
        team=stage.team,
        account=account,
        user_name=_name(stage),
        kind="person",
        owner=owner,
        group_names=stage.dice.sample(GROUPS, k=stage.dice.randrange(3)),
        policy_arns=[policy_arn(account)] if stage.dice.randrange(2) else [],
        tags={"stage": "prod"},
        console_access=owner is not None and stage.dice.randrange(2) == 1,
        access_key=owner is not None and stage.dice.randrange(2) == 1,
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


def _tag(stage: Stage) -> bool:
    tags = {"stage": stage.dice.choice(["prod", "test"]), f"key-{stage.dice.randrange(5)}": "x"}
    iam_users.tag_iam_user(by=stage.lead, iam_user=stage.any_user(), tags=tags, at=datetime.now(UTC))
    return True


def _add(stage: Stage) -> bool:
    group_name, iam_user = stage.dice.choice(GROUPS), stage.any_user()
    iam_users.add_iam_user_to_group(by=stage.lead, iam_user=iam_user, group_name=group_name, at=datetime.now(UTC))
    return True


def _remove(stage: Stage) -> bool:
    group_name, iam_user = stage.dice.choice(GROUPS), stage.any_user()
    iam_users.remove_iam_user_from_group(by=stage.lead, iam_user=iam_user, group_name=group_name, at=datetime.now(UTC))
    return True


def _delete(stage: Stage) -> bool:
    iam_users.delete_iam_user(by=stage.lead, iam_user=stage.any_user(), reason="Chaos", at=datetime.now(UTC))
    return True


def _rename(stage: Stage) -> bool:
    iam_users_changes.rename_iam_user(
        by=stage.lead, iam_user=stage.any_user(), user_name=_name(stage), at=datetime.now(UTC)
    )
    return True


def _attach(stage: Stage) -> bool:
    iam_user = stage.any_user()
    arn = policy_arn(iam_user.account)
    iam_users_changes.attach_policy(by=stage.lead, iam_user=iam_user, policy_arn=arn, at=datetime.now(UTC))
    return True


def _detach(stage: Stage) -> bool:
    iam_user = stage.any_user()
    arn = policy_arn(iam_user.account)
    iam_users_changes.detach_policy(by=stage.lead, iam_user=iam_user, policy_arn=arn, at=datetime.now(UTC))
    return True


def _move(stage: Stage) -> bool:
    path = f"{PATH}{stage.dice.choice(['', 'here/', 'there/'])}"
    iam_users_changes.change_path(by=stage.lead, iam_user=stage.any_user(), path=path, at=datetime.now(UTC))
    return True


def _bind(stage: Stage) -> bool:
    iam_user = stage.any_user()
    arn = stage.dice.choice(["", policy_arn(iam_user.account, BOUNDARY)])
    iam_users_changes.change_boundary(by=stage.owner, iam_user=iam_user, policy_arn=arn, at=datetime.now(UTC))
    return True


CHOICES: list[Callable[[Stage], bool]] = [
    *(OFTEN * [_create]),
    _create_on_the_page,
    _tag,
    _add,
    _remove,
    _delete,
    _rename,
    _move,
    _bind,
    _attach,
    _detach,
    access_decisions.create_password,
    access_decisions.reset_password,
    access_decisions.remove_password,
    access_decisions.create_key,
    access_decisions.open_secret,
    access_decisions.let_a_secret_expire,
    access_decisions.grant_group,
    access_decisions.extend_grant,
    access_decisions.give_back_grant,
    access_decisions.end_grants,
    *(OFTEN * [access_decisions.ask]),
    *(OFTEN * [access_decisions.decide_request]),
    departures.hire,
    departures.offboard,
    departures.undo,
    departures.follow,
]
