"""Carrying "Set tags": only what was decided is put or taken off; tags made elsewhere meanwhile stay."""

from __future__ import annotations

from datetime import datetime

from accounts.delivery import held, shown
from portal.ledger.models import Delivery, Entry


def carry(entry: Entry, delivery: Delivery) -> held.Held:
    """TagUser and UntagUser are both idempotent."""
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    # First off, then on: IAM ignores the case of users' tag keys, and "Team" would take the new "team" with it.
    if removed := entry.details["removed"]:
        iam.untag_user(user_name=iam_user.user_name, tag_keys=removed)
    if put := {tag["key"]: tag["value"] for tag in entry.details["put"]}:
        iam.tag_user(user_name=iam_user.user_name, tags=put)
    return shown.read(
        iam, delivery, user_name=iam_user.user_name, shows=lambda user: shown.has_tags(user, put, removed)
    )


def settle(entry: Entry, answer: held.Held, at: datetime) -> None:
    """From now on the row says what AWS holds."""
    held.write_down(entry, answer)
