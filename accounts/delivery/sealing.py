"""Sealing what AWS has just made for the recipient that the entry names."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.delivery import baseline
from accounts.models import IAMUser, Person
from accounts.models.sealed import Bond
from portal.ledger.handlers import Outdated
from portal.ledger.models import Delivery, Entry
from portal.secrets import browser, seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret


def require_recipient(entry: Entry, iam_user: IAMUser) -> Person:
    """For whom the secret will be sealed: still the IAM user's owner, and still there.

    :raises Outdated: when that is not so any more, or the IAM user is not in AWS.
    """
    if not iam_user.is_in_aws or iam_user.gone_at is not None:
        raise Outdated(f"{iam_user} is not in AWS. Nothing was sent.")
    owner = iam_user.owner
    if owner is None or str(owner.pk) != entry.details["recipient_id"]:
        raise Outdated(f"{entry.details['recipient']} is not the owner of {iam_user} any more. Nothing was sent.")
    if not owner.belongs_to(iam_user.organization):
        raise Outdated(f"{owner} is disabled or has left the organization. Nothing was sent.")
    return owner


def require_recipient_or_clear(
    entry: Entry, iam_user: IAMUser, thing: baseline.Unrepeatable[Any], delivery: Delivery
) -> None:
    """As `require_recipient`; where it does not hold, what an earlier call may have made goes first.

    :raises Outdated: then. :raises portal.aws.errors.AWSError: as `baseline.clear_doubt`.
    """
    try:
        require_recipient(entry, iam_user)
    except Outdated:
        baseline.clear_doubt(thing, delivery=delivery)
        raise


def sealed_to_browser(entry: Entry, delivery: Delivery, secret: Secret, bond: Bond) -> Secret:
    """The secret so that the browser in which its recipient asked can read it alone; as it is where none was told."""
    browser_key = entry.details.get("browser_key", "")
    if not browser_key:
        return secret
    row = SealedSecret(
        organization_id=entry.organization_id, recipient_id=int(entry.details["recipient_id"]),
        carried_by=str(delivery.pk), bound_to=str(bond), purpose=bond.purpose,
    )  # fmt: skip
    return browser.seal_to(browser_key, secret, browser.bound(row))


def seal_for_recipient(entry: Entry, secret: Secret, bond: Bond, at: datetime, *, carried_by: str = "") -> None:
    """Keep the secret for its recipient, in the transaction that writes down what it belongs to."""
    seal.seal(
        organization=entry.organization,
        recipient=Person.objects.get(pk=int(entry.details["recipient_id"])),
        purpose=bond.purpose,
        bound_to=str(bond),
        secret=secret,
        at=at,
        expires_at=at + timedelta(hours=settings.SECRET_HOURS),
        browser_key=entry.details.get("browser_key", ""),
        carried_by=carried_by,
    )
