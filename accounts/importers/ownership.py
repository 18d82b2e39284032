"""Whose an imported IAM user is: the portal's own unfinished work, or what its tags tell."""

from __future__ import annotations

import uuid

from accounts import arns
from accounts.kinds import Kind
from accounts.models import Account, IAMUser, Membership, Person, Team
from portal.aws.iam.account import UserDetail
from portal.ledger.models import Entry

TEAM_TAG, OWNER_TAG, KIND_TAG, PURPOSE_TAG = "team", "owner", "kind", "purpose"


def given_up_by_the_portal(account: Account, user: UserDetail) -> IAMUser | None:
    """The row of a creation that was given up after AWS had made the user: it is that user after all.

    One that is still on its way is never taken: its delivery knows by itself what is its own.
    """
    entry_id = _entry_id(user.tags.get(arns.ENTRY_TAG, ""))
    if entry_id is None:
        return None
    entry = Entry.objects.of(account.organization).filter(pk=entry_id, kind=Kind.IAM_USER_CREATED).first()
    if entry is None:
        return None
    given_up = IAMUser.objects.filter(account=account, user_id="", gone_at__isnull=False)
    return given_up.filter(pk=int(entry.subject_id), user_name=user.user_name).first()


def new_row(account: Account, user: UserDetail) -> IAMUser:
    """A row with team, owner and kind from the tags; what they do not tell stays unassigned."""
    tags = {key.lower(): value for key, value in user.tags.items()}
    row = IAMUser(organization=account.organization, account=account)
    row.team = Team.objects.filter(organization=row.organization, name__iexact=tags.get(TEAM_TAG, "")).first()
    row.owner = _owner(account, tags.get(OWNER_TAG, ""))
    if tags.get(KIND_TAG, "").lower() == IAMUser.Kind.APPLICATION:
        row.kind = IAMUser.Kind.APPLICATION
        row.purpose = tags.get(PURPOSE_TAG, "")[:200]
    return row


def _owner(account: Account, email: str) -> Person | None:
    memberships = Membership.objects.active().in_organization(account.organization).filter(person__email__iexact=email)
    found = memberships.select_related("person").first()
    return None if found is None else found.person


def _entry_id(text: str) -> uuid.UUID | None:
    # Anybody who may tag in the account can write this tag: it is checked, never trusted.
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
