"""What can be requested: in words, what an approval of it is bound to, and who may approve.

To make another change requestable: add its kind to `REQUESTABLE` here, with words for people and with all that an
approver relies on; to `ASKED` in `accounts.usecases.questions`, with who may ask for it; and to `CARRIED` in
`accounts.usecases.approved`, with the use-case that an approval calls. Where that use-case has something carried to
AWS, its entry's details hold `told_of(request)`: by these the worker knows that it must look once more
(`accounts.delivery.approvals`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db.models import Min, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import (
    Account,
    Duty,
    Envelope,
    IAMGroup,
    IAMPolicy,
    IAMUser,
    Membership,
    Organization,
    Person,
    Request,
    Team,
)
from accounts.models.iam_user_record import as_decided
from accounts.models.request import RequestQuerySet

OWNERS_AND_ADMINS = frozenset({Duty.OWNER, Duty.ADMIN})
# For duties and envelopes.
OWNERS = frozenset({Duty.OWNER})

CHANGED = "What it would change is not what it was any more. It can be asked for anew."
TOO_LATE = "It was not decided and carried out in time. It can be asked for anew."
REQUESTER_LEFT = "Whoever asked for it may not ask for it any more."
APPROVER_LEFT = "Whoever approved it may not approve it any more."


@dataclass(frozen=True)
class Requestable:
    """`words` say what would be done, `bound` gives what an approval depends on, as JSON; `approvers` are duties."""

    words: Callable[[Request], str]
    bound: Callable[[Request], Mapping[str, object]]
    approvers: frozenset[Duty] = OWNERS_AND_ADMINS


def of(request: Request) -> Requestable:
    """What is known of requests of this kind."""
    return REQUESTABLE[Kind(request.kind)]


def binding_of(request: Request) -> str:
    """The fingerprint of what is asked for and of all that an approver relies on, as it is now."""
    asked = {
        "organization": request.organization_id,
        "account": request.account_id,
        "team": request.team_id,
        "kind": request.kind,
        "subject": [request.subject_type, request.subject_id, request.subject_name],
        "change": request.change,
        "made_by": request.made_by_id,
        "expires_at": request.expires_at.timestamp(),
        "bound": of(request).bound(request),
    }
    return sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def may_approve(*, by: Person, request: Request) -> bool:
    """Whether the person may: never who asked, nor somebody whose duty began after it was asked for."""
    duties = Membership.objects.active().of(by).in_organization(request.organization_id)
    approving = duties.filter(duty__in=of(request).approvers, created_at__lte=request.made_at)
    return by.pk != request.made_by_id and approving.exists()


def decidable_by(person: Person, *, organization: Organization) -> RequestQuerySet:
    """The open requests that the person may decide about: what `may_approve` says, as a query."""
    duties = Membership.objects.active().of(person).in_organization(organization)
    open_ones = Request.objects.in_organization(organization).open().exclude(made_by=person)
    fits = Q(pk__in=[])
    for kind, requestable in REQUESTABLE.items():
        since = duties.filter(duty__in=requestable.approvers).aggregate(since=Min("created_at"))["since"]
        if since is not None:
            fits |= Q(kind=kind, made_at__gte=since)
    return open_ones.filter(fits)


def obstacle(request: Request, *, at: datetime) -> str:
    """Why it does not hold any more, in a sentence; nothing where it does."""
    if at >= request.expires_at:
        return TOO_LATE
    if not access.may(
        by=request.made_by, to=Permission.MAKE_REQUEST, organization=request.organization, team=request.team
    ):
        return REQUESTER_LEFT
    if request.decided_by is not None and not may_approve(by=request.decided_by, request=request):
        return APPROVER_LEFT
    return "" if binding_of(request) == request.binding else CHANGED


def told_of(request: Request | None) -> dict[str, object]:
    """What the details of an entry say of the request that it follows from; of none, nothing."""
    if request is None:
        return {}
    return {"request": request.pk, "requested_by": request.made_by.email, "binding": request.binding}


def iam_user_of(request: Request) -> IAMUser | None:
    """The IAM user that it is about; None where its row is not there any more, or it is about something else."""
    if request.subject_type != "iam_user":
        return None
    rows = IAMUser.objects.filter(organization=request.organization_id).select_related(
        "account", "organization", "team"
    )
    return rows.filter(pk=int(request.subject_id)).first()


def bound_iam_user(iam_user: IAMUser | None) -> dict[str, object]:
    """Which one it is, whose, and what bounds it: a name that was deleted and made again is another IAM user."""
    if iam_user is None:
        return {}
    boundary = [iam_user.permissions_boundary_arn] if iam_user.permissions_boundary_arn else []
    return {
        "iam_user": iam_user.pk,
        "user_id": iam_user.user_id,
        "is_gone": iam_user.gone_at is not None,
        "arn": iam_user.arn,
        "team": iam_user.team_id,
        "boundary": bound_policies(iam_user.account, boundary),
        "envelope": bound_envelope(iam_user.team),
    }


def bound_envelope(team: Team | None) -> list[int]:
    """Which version of the team's envelope holds."""
    return list(Envelope.objects.filter(team=team).values_list("version", flat=True)) if team is not None else []


def bound_policies(account: Account, arns: Collection[str]) -> list[object]:
    """Each policy with its id, its default version and what that says; one that was never read says nothing."""
    rows = IAMPolicy.objects.present().filter(account=account, arn__in=arns)
    known = {row.arn: [row.policy_id, row.default_version_id, row.document] for row in rows}
    return [[arn, known.get(arn)] for arn in sorted(arns)]


def bound_group(account: Account, group_name: str) -> list[object]:
    """Which group of this name is there, and all that it carries."""
    groups = IAMGroup.objects.present().filter(account=account, group_name=group_name)
    return [
        [group.group_id, group.inline_policies, bound_policies(account, group.attached_policy_arns)] for group in groups
    ]


def _bound_addition(request: Request) -> dict[str, object]:
    iam_user = iam_user_of(request)
    group = bound_group(iam_user.account, request.change["group"]) if iam_user is not None else []
    return {**bound_iam_user(iam_user), "group": group}


def _addition_in_words(request: Request) -> str:
    name = request.subject_name.rsplit("/", 1)[-1]
    return f"Add {name} to {request.change['group']}{_until(request.change['until'])}"


def person_of(request: Request) -> Person | None:
    """The person that it is about; None where it is about something else."""
    return Person.objects.filter(pk=int(request.subject_id)).first() if request.subject_type == "person" else None


def _bound_duty(request: Request) -> dict[str, object]:
    """Who it is, which duties they have now, and of which team they would have one more."""
    person = person_of(request)
    duties = Membership.objects.active().of(person).in_organization(request.organization_id) if person else None
    held = [] if duties is None else sorted(duties.values_list("duty", "team"), key=str)
    return {"person": person and person.email, "duties": [list(duty) for duty in held], "team": request.team_id}


def _duty_in_words(request: Request) -> str:
    of_team = f" of team {request.team}" if request.team is not None else ""
    return f"Give {request.subject_name} the duty {Duty(request.change['duty']).label.lower()}{of_team}"


def _bound_attachment(request: Request) -> dict[str, object]:
    iam_user = iam_user_of(request)
    policy = bound_policies(iam_user.account, [request.change["policy"]]) if iam_user is not None else []
    return {**bound_iam_user(iam_user), "policy": policy}


def _attachment_in_words(request: Request) -> str:
    name, policy = request.subject_name.rsplit("/", 1)[-1], request.change["policy"].rsplit("/", 1)[-1]
    return f"Attach {policy} to {name}"


def bound_holding(iam_user: IAMUser) -> dict[str, object]:
    """All that it holds by what was decided, and what that carries: an approver of where it stands relies on it."""
    decided = as_decided(iam_user)
    return {
        "groups": [[name, bound_group(iam_user.account, name)] for name in sorted(decided.group_names)],
        "policies": bound_policies(iam_user.account, decided.attached_policy_arns),
        "inline_policies": decided.inline_policies,
    }


def _bound_boundary(request: Request) -> dict[str, object]:
    """Where a lost answer let AWS have it already, and an import said so, it is still what was approved."""
    iam_user, wanted = iam_user_of(request), request.change["permissions_boundary"]
    if iam_user is None:
        return {}
    if iam_user.permissions_boundary_arn == wanted:
        iam_user.permissions_boundary_arn = request.change["before"]
    policy = bound_policies(iam_user.account, [wanted] if wanted else [])
    return {**bound_iam_user(iam_user), **bound_holding(iam_user), "policy": policy}


def _boundary_in_words(request: Request) -> str:
    name, policy = request.subject_name.rsplit("/", 1)[-1], request.change["permissions_boundary"].rsplit("/", 1)[-1]
    return f"Set the boundary of {name} to {policy}" if policy else f"Take the boundary of {name} away"


def _bound_path(request: Request) -> dict[str, object]:
    """Its ARN has the path in it; of what AWS may have already, as for the boundary."""
    iam_user = iam_user_of(request)
    if iam_user is not None and iam_user.path == request.change["path"]:
        iam_user.path = request.change["before"]
    return bound_iam_user(iam_user)


def _path_in_words(request: Request) -> str:
    return f"Change the path of {request.subject_name.rsplit('/', 1)[-1]} to {request.change['path']}"


def team_of(request: Request) -> Team | None:
    """The team to which it asks to move something; None where that is not there, or it asks for something else."""
    asked = request.change.get("to_team", "")
    rows = Team.objects.filter(organization=request.organization_id)
    return rows.filter(pk=int(asked)).first() if asked else None


def _bound_move(request: Request) -> dict[str, object]:
    """What goes with it, and what the other team may do with it."""
    iam_user, team = iam_user_of(request), team_of(request)
    if iam_user is None or team is None:
        return {}
    target = {"team": team.pk, "name": team.name, "envelope": bound_envelope(team)}
    return {**bound_iam_user(iam_user), **bound_holding(iam_user), "target": target}


def _move_in_words(request: Request) -> str:
    return f"Move {request.subject_name.rsplit('/', 1)[-1]} to team {request.change['to']}"


def _bound_envelope_change(request: Request) -> dict[str, object]:
    """What the envelope says now, by its version, and what all that is newly chosen is and carries."""
    team, content = request.team, request.change["content"]
    if team is None:
        return {}
    theirs = {"organization": request.organization_id}
    groups = IAMGroup.objects.present().filter(**theirs, pk__in=content["groups"]).exclude(envelopes__team=team)
    policies = IAMPolicy.objects.present().filter(**theirs)
    carried = {arn for arns in groups.values_list("attached_policy_arns", flat=True) for arn in arns}
    chosen = policies.filter(pk__in=content["policies"]).exclude(handing_envelopes__team=team)
    ids = [content["permissions_boundary"], *chosen.values_list("pk", flat=True)]
    told = policies.filter(Q(pk__in=ids) | Q(arn__in=carried, account__in=content["accounts"])).order_by("pk")
    accounts = Account.objects.filter(**theirs, pk__in=content["accounts"]).order_by("pk")
    return {
        "team": team.name,
        "envelope": bound_envelope(team),
        "accounts": [list(row) for row in accounts.values_list("pk", "account_id", "name")],
        "groups": [
            list(row)
            for row in groups.order_by("pk").values_list(
                "pk", "group_id", "group_name", "inline_policies", "attached_policy_arns"
            )
        ],
        "policies": [list(row) for row in told.values_list("pk", "policy_id", "arn", "default_version_id", "document")],
    }


def _envelope_in_words(request: Request) -> str:
    return f"Change the envelope of team {request.subject_name}"


def _until(text: str) -> str:
    return f" until {date_format(localtime(datetime.fromisoformat(text)), 'j M Y, H:i')}" if text else ""


REQUESTABLE: dict[Kind, Requestable] = {
    Kind.IAM_USER_ADDED_TO_GROUP: Requestable(words=_addition_in_words, bound=_bound_addition),
    Kind.IAM_USER_POLICY_ATTACHED: Requestable(words=_attachment_in_words, bound=_bound_attachment),
    Kind.IAM_USER_BOUNDARY_CHANGED: Requestable(words=_boundary_in_words, bound=_bound_boundary),
    Kind.IAM_USER_PATH_CHANGED: Requestable(words=_path_in_words, bound=_bound_path),
    Kind.IAM_USER_ASSIGNED: Requestable(words=_move_in_words, bound=_bound_move),
    Kind.MEMBERSHIP_GRANTED: Requestable(words=_duty_in_words, bound=_bound_duty, approvers=OWNERS),
    Kind.ENVELOPE_CHANGED: Requestable(words=_envelope_in_words, bound=_bound_envelope_change, approvers=OWNERS),
}
