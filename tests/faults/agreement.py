"""What must be true when the long fault run is quiet: ledger, rows and AWS agree, and everybody lives."""

import http.client
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count

from accounts.delivery import HANDLERS
from accounts.delivery.held import iam_of
from accounts.kinds import Kind
from accounts.models import AccessKey, Account, GroupGrant, IAMUser, LoginProfile, OffboardedIAMUser, Offboarding
from accounts.models.iam_user_record import held_now
from accounts.policy.denial import DENY_ALL, POLICY_NAME
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.account import EntityType, UserDetail
from portal.ledger import chain
from portal.ledger.models import Delivery, Entry
from tests.aws.whole import whole
from tests.faults.rough_aws import Told
from tests.faults.secrets_in_aws import told_secrets
from tests.faults.stage import PATH, Stage


@dataclass(frozen=True)
class Comparison:
    """What differs, how much was compared, and what only AWS can say more about.

    `created` are the ids of the entries that made an IAM user in AWS, `secrets` what people were given.
    """

    differences: list[str]
    summary: str
    created: list[str]
    secrets: list[Told]


def compare(stage: Stage, *, acknowledged: Counter[str]) -> Comparison:
    """Compare everything with everything."""
    differences = [
        *_lost(acknowledged),
        *_unended(),
        *(line for account in stage.accounts for line in _in_account(account)),
        *_health(),
    ]
    broken = chain.verify(stage.team.organization)
    if broken:
        differences.append(f"the chain is broken: {broken}")
    secrets, lost = told_secrets(stage)
    created = Delivery.objects.filter(state="done", entry__kind=Kind.IAM_USER_CREATED)
    states = dict(Delivery.objects.order_by("state").values_list("state").annotate(Count("pk")))
    summary = f"{Entry.objects.count()} entries, {created.count()} IAM users made, deliveries {states}."
    entries = [str(pk) for pk in created.values_list("entry_id", flat=True)]
    return Comparison([*differences, *lost], f"{summary}\n{_by_kind()}", entries, secrets)


def _by_kind() -> str:
    done = Delivery.objects.filter(state="done").order_by("entry__kind")
    return f"Delivered: {dict(done.values_list('entry__kind').annotate(Count('pk')))}."


def _lost(acknowledged: Counter[str]) -> Iterator[str]:
    if Entry.objects.count() < acknowledged.total():
        yield f"{acknowledged.total()} decisions were acknowledged, and {Entry.objects.count()} are in the ledger"
    if acknowledged["create_on_the_page"] == 0:
        yield "no decision came through the web server"
    for entry in Entry.objects.filter(kind__in=list(HANDLERS), deliveries=None):
        # Of a secret that expires only a key is carried to AWS.
        if entry.kind != Kind.SECRET_EXPIRED:
            yield f"entry {entry.pk} has no delivery"


def _unended() -> Iterator[str]:
    """What should be over by now. A delivery is given up by an entry of its own."""
    given_up = set(Entry.objects.filter(kind=Kind.DELIVERY_GIVEN_UP).values_list("subject_id", flat=True))
    for one in Delivery.objects.exclude(state="done").select_related("entry"):
        if one.state != Delivery.State.GIVEN_UP or str(one.pk) not in given_up:
            yield f"{one.entry.kind} of {one.subject} is {one.state}: {one.error}"
    for grant in GroupGrant.objects.running():
        yield f"{grant} should have ended at {grant.until}"
    going = Offboarding.objects.due(datetime.now(UTC)) | Offboarding.objects.filter(state=Offboarding.State.DELETING)
    yield from (f"{offboarding} is {offboarding.state}" for offboarding in going)
    yield from (f"{row} was offboarded, and that has not arrived" for row in OffboardedIAMUser.objects.unconverged())


def _in_account(account: Account) -> Iterator[str]:
    iam = iam_of(account)
    details = whole(iam.get_account_authorization_details(filter=[EntityType.USER]))
    in_aws = {user.user_id: user for user in details.user_detail_list if user.path.startswith(PATH)}
    rows = {row.user_id: row for row in IAMUser.objects.present().filter(account=account, path__startswith=PATH)}
    yield from (f"{row.user_name} is here and not in AWS" for key, row in rows.items() if key not in in_aws)
    yield from (f"{user.user_name} is in AWS and not here" for key, user in in_aws.items() if key not in rows)
    for key in rows.keys() & in_aws.keys():
        row, held = rows[key], _held(iam, in_aws[key])
        here, decided = _here(row), row.record.attributes
        yield from (
            f"{row.user_name} has {name} {here[name]} here and {held[name]} in AWS"
            for name in held
            if here[name] != held[name]
        )
        for name, (ours, theirs) in decided.differences(held_now(row)).items():
            yield f"{row.user_name} was decided to have {name} {ours} and has {theirs}"
        yield from _works_still(row, held)


def _held(iam: IAM, user: UserDetail) -> dict[str, Any]:
    keys = iam.list_access_keys(user_name=user.user_name)
    return {
        "name": user.user_name,
        "path": user.path,
        "tags": dict(user.tags),
        "groups": sorted(user.group_list),
        "policies": sorted(policy.policy_arn for policy in user.attached_managed_policies),
        "boundary": user.permissions_boundary or "",
        "inline policies": {policy.policy_name: policy.policy_document for policy in user.user_policy_list},
        "keys": {key.access_key_id: str(key.status) for key in keys},
        "password": _has_password(iam, user.user_name),
    }


def _here(row: IAMUser) -> dict[str, Any]:
    return {
        "name": row.user_name,
        "path": row.path,
        "tags": row.tags,
        "groups": sorted(row.group_memberships.values_list("iam_group__group_name", flat=True)),
        "policies": sorted(row.attached_policy_arns),
        "boundary": row.permissions_boundary_arn,
        "inline policies": row.inline_policies,
        "keys": dict(AccessKey.objects.present().filter(iam_user=row).values_list("access_key_id", "status")),
        "password": LoginProfile.objects.filter(iam_user=row).exists(),
    }


def _has_password(iam: IAM, user_name: str) -> bool:
    try:
        iam.get_login_profile(user_name=user_name)
    except errors.NotFound:
        return False
    return True


def _works_still(row: IAMUser, held: dict[str, Any]) -> Iterator[str]:
    """What is somebody's who left must do nothing, and what is nobody's who left must not be denied everything."""
    is_offboarded = OffboardedIAMUser.objects.theirs().filter(iam_user=row, offboarding__state="started").exists()
    is_denied = held["inline policies"].get(POLICY_NAME) == DENY_ALL
    if is_offboarded != is_denied:
        yield f"{row.user_name} is offboarded: {is_offboarded}, and denied everything: {is_denied}"
    if is_offboarded and (held["password"] or "Active" in held["keys"].values()):
        yield f"{row.user_name} is offboarded and works still: {held}"


def _health() -> Iterator[str]:
    server = http.client.HTTPConnection("127.0.0.1", int(os.environ["CHAOS_WEB_PORT"]), timeout=30)
    server.request("GET", "/health/ready")
    answer = server.getresponse()
    told = json.loads(answer.read())
    server.close()
    if (
        answer.status != http.HTTPStatus.OK
        or told["oldest_due_seconds"]
        or any(value is False for value in told.values())
    ):
        yield f"the portal is not well: {told}"
