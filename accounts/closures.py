"""What an IAM user may do by all that the portal's rows say it holds: its policies and those of its groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from accounts.models import Account, IAMGroup, IAMPolicy, IAMUser
from accounts.models.attributes import Attributes
from accounts.policy.closure import Closure, PolicyDocument, closure_of
from accounts.policy.escalation import Escalation, escalations

Documents = Mapping[str, object]


def of_iam_user(iam_user: IAMUser, *, joining: Iterable[IAMGroup] = ()) -> Closure:
    """Of an IAM user as the portal last read it, and once it is in these groups too; in a fixed number of queries."""
    groups = list(IAMGroup.objects.present().filter(group_memberships__iam_user=iam_user))
    there = {group.pk for group in groups}
    groups += [group for group in joining if group.pk not in there]
    return _closure(
        iam_user.account,
        groups,
        attached=iam_user.attached_policy_arns,
        inline=iam_user.inline_policies,
        boundary=iam_user.permissions_boundary_arn,
    )


def of_attributes(account: Account, attributes: Attributes) -> Closure:
    """Of an IAM user that is, or will be, so; of groups that the portal does not know nothing is counted."""
    groups = IAMGroup.objects.present().filter(account=account, group_name__in=attributes.group_names)
    return _closure(
        account,
        list(groups),
        attached=attributes.attached_policy_arns,
        inline=attributes.inline_policies,
        boundary=attributes.permissions_boundary_arn,
    )


def of_groups(account: Account, groups: Collection[IAMGroup], *, boundary: str = "") -> Closure:
    """Of an IAM user that is to be made, with these groups and within this boundary (an ARN; empty for none)."""
    return _closure(account, groups, attached=(), inline={}, boundary=boundary)


def opened(*, before: Closure, after: Closure) -> list[Escalation]:
    """The ways to more rights that a change opens: those that were open before it are not its doing."""
    known = {escalation.method.name for escalation in escalations(before)}
    return [escalation for escalation in escalations(after) if escalation.method.name not in known]


def _closure(
    account: Account, groups: Collection[IAMGroup], *, attached: Iterable[str], inline: Documents, boundary: str
) -> Closure:
    arns = {
        *attached,
        *(arn for group in groups for arn in group.attached_policy_arns),
        *([boundary] if boundary else ()),
    }
    documents = _documents(account, arns)
    policies = [*_own(attached, inline, documents)]
    for group in groups:
        policies += _of_group(group, documents)
    limit = PolicyDocument(f"boundary {_name(boundary)}", documents.get(boundary)) if boundary else None
    return closure_of(policies, boundary=limit)


def _documents(account: Account, arns: Collection[str]) -> dict[str, Mapping[str, object] | str]:
    """The default versions by ARN; a policy that no import has read yet is missing, and could be anything."""
    rows = IAMPolicy.objects.filter(account=account, gone_at__isnull=True, arn__in=arns)
    return dict(rows.values_list("arn", "document"))


def _own(attached: Iterable[str], inline: Documents, documents: Documents) -> Iterator[PolicyDocument]:
    yield from (PolicyDocument(_name(arn), documents.get(arn)) for arn in attached)  # type: ignore[arg-type]
    yield from (PolicyDocument(f"inline policy {name}", document) for name, document in inline.items())  # type: ignore[arg-type]


def _of_group(group: IAMGroup, documents: Documents) -> Iterator[PolicyDocument]:
    inline: Documents = group.inline_policies
    for policy in _own(group.attached_policy_arns, inline, documents):
        yield PolicyDocument(f"group {group} → {policy.name}", policy.document)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
