"""What an IAM user may do by all that the portal's rows say it holds: its policies and those of its groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from accounts.models import Account, IAMGroup, IAMPolicy, IAMUser
from accounts.models.attributes import Attributes
from accounts.models.iam_user_record import as_decided, held_now
from accounts.policy.closure import Closure, PolicyDocument, closure_of
from accounts.policy.escalation import Escalation, escalations

Documents = Mapping[str, object]


@dataclass(frozen=True)
class Holding:
    """What an IAM user holds or would hold: groups by name, policies and the permissions boundary by ARN."""

    account: Account
    group_names: frozenset[str] = frozenset()
    policy_arns: frozenset[str] = frozenset()
    inline_policies: Documents = field(default_factory=dict)
    boundary_arn: str = ""

    @classmethod
    def of(cls, account: Account, attributes: Attributes) -> Holding:
        """What these attributes say."""
        return cls(
            account,
            group_names=frozenset(attributes.group_names),
            policy_arns=frozenset(attributes.attached_policy_arns),
            inline_policies=attributes.inline_policies,
            boundary_arn=attributes.permissions_boundary_arn,
        )

    def joining(self, *group_names: str) -> Holding:
        """With these groups too."""
        return replace(self, group_names=self.group_names.union(group_names))

    def leaving(self, *group_names: str) -> Holding:
        """Without these groups."""
        return replace(self, group_names=self.group_names.difference(group_names))

    def attaching(self, *policy_arns: str) -> Holding:
        """With these policies too."""
        return replace(self, policy_arns=self.policy_arns.union(policy_arns))

    def detaching(self, *policy_arns: str) -> Holding:
        """Without these policies."""
        return replace(self, policy_arns=self.policy_arns.difference(policy_arns))

    def bound_by(self, boundary_arn: str) -> Holding:
        """Within another permissions boundary; empty for none."""
        return replace(self, boundary_arn=boundary_arn)

    def closure(self) -> Closure:
        """All that this allows; in two queries. What no import has read yet could be anything."""
        present = IAMGroup.objects.present().filter(account=self.account, group_name__in=self.group_names)
        groups = list(present.order_by("group_name", "pk"))
        documents = _documents(self.account, self._arns(groups))
        names = _names(self._arns(groups))
        policies = [*_own(sorted(self.policy_arns), self.inline_policies, documents, names)]
        for group in groups:
            policies += _of_group(group, documents, names)
        for name in sorted(self.group_names - {group.group_name for group in groups}):
            policies.append(PolicyDocument(f"group {name}", None))
        arn = self.boundary_arn
        return closure_of(
            policies, boundary=PolicyDocument(f"boundary {names[arn]}", documents.get(arn)) if arn else None
        )

    def _arns(self, groups: Iterable[IAMGroup]) -> set[str]:
        of_groups = (arn for group in groups for arn in group.attached_policy_arns)
        return {*self.policy_arns, *of_groups, *([self.boundary_arn] if self.boundary_arn else ())}


def of_iam_user(iam_user: IAMUser) -> Closure:
    """Of an IAM user as the portal last read it; in a fixed number of queries."""
    return Holding.of(iam_user.account, held_now(iam_user)).closure()


def holdings_of(iam_user: IAMUser) -> list[Holding]:
    """What it will hold by all that was decided; and, while something is on its way, the most that it may hold then.

    A removal can be given up and an addition be late: whoever adds up changes must not profit from their order.
    """
    account = iam_user.account
    held, decided = (Holding.of(account, found) for found in (held_now(iam_user), as_decided(iam_user)))
    if held == decided:
        return [decided]
    most = replace(
        held.joining(*decided.group_names).attaching(*decided.policy_arns),
        inline_policies={**held.inline_policies, **decided.inline_policies},
    )
    boundaries = {held.boundary_arn, decided.boundary_arn}
    return [decided, *(most.bound_by(boundary_arn) for boundary_arn in sorted(boundaries))]


def opened(*, before: Closure, after: Closure) -> list[Escalation]:
    """The ways to more rights that a change opens: those that were open before it are not its doing.

    A policy that could not be read before could have been anything; it must not hide what another one opens now.
    """
    known = {escalation.method.name for escalation in escalations(before.without(before.unknown))}
    now = escalations(after.without(before.unknown))
    return [escalation for escalation in now if escalation.method.name not in known]


def _documents(account: Account, arns: Collection[str]) -> dict[str, Mapping[str, object] | str]:
    """The default versions by ARN; a policy that no import has read yet is missing, and could be anything."""
    rows = IAMPolicy.objects.filter(account=account, gone_at__isnull=True, arn__in=arns)
    return dict(rows.values_list("arn", "document"))


def _own(
    attached: Iterable[str], inline: Documents, documents: Documents, names: Mapping[str, str]
) -> Iterator[PolicyDocument]:
    yield from (PolicyDocument(names[arn], documents.get(arn)) for arn in attached)  # type: ignore[arg-type]
    yield from (PolicyDocument(f"inline policy {name}", document) for name, document in inline.items())  # type: ignore[arg-type]


def _of_group(group: IAMGroup, documents: Documents, names: Mapping[str, str]) -> Iterator[PolicyDocument]:
    inline: Documents = group.inline_policies
    for policy in _own(group.attached_policy_arns, inline, documents, names):
        yield PolicyDocument(f"group {group} → {policy.name}", policy.document)


def _names(arns: Collection[str]) -> dict[str, str]:
    """What people call each; where two are called the same, their ARNs, so that one is never taken for the other."""
    called = Counter(_name(arn) for arn in arns)
    return {arn: _name(arn) if called[_name(arn)] == 1 else arn for arn in arns}


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
