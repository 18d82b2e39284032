"""The card of an IAM user's own policies: attached, on their way, and inline with what stands in them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.kinds import Kind
from accounts.models import Drift, IAMUser
from portal.ledger.models import Delivery

# What stands in a card is read; a longer document is cut, and says so.
LONGEST_SHOWN = 20_000


def policies_of(
    iam_user: IAMUser, deliveries: Iterable[Delivery], *, outside: Collection[str], may_change: bool
) -> list[dict[str, Any]]:
    """What is attached to it, what is on its way on or off, and what stands in it, by names that people know."""
    coming, leaving = _on_their_way(deliveries)
    rows = [
        {
            "name": name_of(arn),
            "arn": arn,
            "is_leaving": arn in leaving,
            "is_outside": arn in outside,
            "detach_address": _detach_address(iam_user, arn) if may_change else "",
        }
        for arn in iam_user.attached_policy_arns
    ]
    new = sorted(coming - set(iam_user.attached_policy_arns))
    rows += [{"name": name_of(arn), "arn": arn, "is_coming": True} for arn in new]
    inline = sorted(iam_user.inline_policies.items())
    return rows + [{"name": name, "document": _text_of(document)} for name, document in inline]


def name_of(arn: str) -> str:
    """`ReadOnlyAccess` of its ARN."""
    return arn.rsplit("/", 1)[-1]


def _detach_address(iam_user: IAMUser, arn: str) -> str:
    return f"{reverse('detach_policy', args=[iam_user.pk])}?{urlencode({'policy': arn})}"


def _on_their_way(deliveries: Iterable[Delivery]) -> tuple[set[str], set[str]]:
    """The ARNs that come and those that go."""
    coming: set[str] = set()
    leaving: set[str] = set()
    for delivery in deliveries:
        kind, details = delivery.entry.kind, delivery.entry.details
        if kind == Kind.IAM_USER_CREATED:
            coming |= set(details.get("policies", ()))
        elif kind == Kind.IAM_USER_POLICY_ATTACHED:
            coming.add(details["policy"])
        elif kind == Kind.IAM_USER_POLICY_DETACHED:
            leaving.add(details["policy"])
        elif kind == Kind.DRIFT_REVERTED and details["attribute"] == Drift.Attribute.ATTACHED_POLICIES:
            coming |= set(details["decided"]) - set(details["held"])
            leaving |= set(details["held"]) - set(details["decided"])
    return coming, leaving


def _text_of(document: object) -> str:
    text = document if isinstance(document, str) else json.dumps(document, indent=2)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
