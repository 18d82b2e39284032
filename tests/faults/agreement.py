"""What must be true when the long fault run is quiet: ledger, rows and AWS agree, and everybody lives."""

import http.client
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from accounts.delivery import HANDLERS
from accounts.delivery.held import iam_of
from accounts.kinds import Kind
from accounts.models import Account, IAMUser
from portal.aws.iam.account import EntityType, UserDetail
from portal.ledger import chain
from portal.ledger.models import Delivery, Entry
from tests.aws.whole import whole
from tests.faults.decisions import PATH, Stage


@dataclass(frozen=True)
class Comparison:
    """What differs, how much was compared, and the ids of the entries that made an IAM user in AWS."""

    differences: list[str]
    summary: str
    created: list[str]


def compare(stage: Stage, *, acknowledged: Counter[str]) -> Comparison:
    """Compare everything with everything."""
    differences = [
        *_lost(acknowledged),
        *(f"{one.subject} is {one.state}: {one.error}" for one in Delivery.objects.exclude(state="done")),
        *(line for account in stage.accounts for line in _in_account(account)),
        *_health(),
    ]
    broken = chain.verify(stage.team.organization)
    if broken:
        differences.append(f"the chain is broken: {broken}")
    created = Delivery.objects.filter(state="done", entry__kind=Kind.IAM_USER_CREATED)
    states = dict(Delivery.objects.order_by().values_list("state").annotate(Count("pk")))
    summary = f"{Entry.objects.count()} entries, {created.count()} IAM users made, deliveries {states}."
    return Comparison(differences, summary, [str(pk) for pk in created.values_list("entry_id", flat=True)])


def _lost(acknowledged: Counter[str]) -> Iterator[str]:
    if Entry.objects.count() < acknowledged.total():
        yield f"{acknowledged.total()} decisions were acknowledged, and {Entry.objects.count()} are in the ledger"
    if acknowledged["create_on_the_page"] == 0:
        yield "no decision came through the web server"
    for entry in Entry.objects.filter(kind__in=list(HANDLERS), deliveries=None):
        yield f"entry {entry.pk} has no delivery"


def _in_account(account: Account) -> Iterator[str]:
    details = whole(iam_of(account).get_account_authorization_details(filter=[EntityType.USER]))
    in_aws = {user.user_id: user for user in details.user_detail_list if user.path == PATH}
    rows = {row.user_id: row for row in IAMUser.objects.present().filter(account=account, path=PATH)}
    yield from (f"{row.user_name} is here and not in AWS" for key, row in rows.items() if key not in in_aws)
    yield from (f"{user.user_name} is in AWS and not here" for key, user in in_aws.items() if key not in rows)
    for key in rows.keys() & in_aws.keys():
        yield from _differences(rows[key], in_aws[key])


def _differences(row: IAMUser, user: UserDetail) -> Iterator[str]:
    if row.user_name != user.user_name or row.tags != dict(user.tags):
        yield f"{row.user_name} has {row.tags} here and {dict(user.tags)} in AWS"
    groups = set(row.group_memberships.values_list("iam_group__group_name", flat=True))
    if groups != set(user.group_list):
        yield f"{row.user_name} is in {groups} here and in {set(user.group_list)} in AWS"
    attached = {policy.policy_arn for policy in user.attached_managed_policies}
    if set(row.attached_policy_arns) != attached:
        yield f"{row.user_name} has {row.attached_policy_arns} attached here and {attached} in AWS"


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
