"""Carrying "Rename", "Change path" and "Set boundary": one attribute is made what was decided."""

from __future__ import annotations

from accounts.delivery import held
from accounts.delivery.drift import Change, make_so
from accounts.kinds import Kind
from accounts.models import Drift
from portal.ledger.models import Delivery, Entry

# Of each kind the attribute, and where the entry's details have it.
CHANGED = {
    Kind.IAM_USER_RENAMED: (Drift.Attribute.USER_NAME, "user_name"),
    Kind.IAM_USER_PATH_CHANGED: (Drift.Attribute.PATH, "path"),
    Kind.IAM_USER_BOUNDARY_CHANGED: (Drift.Attribute.PERMISSIONS_BOUNDARY, "permissions_boundary"),
}


def carry(entry: Entry, delivery: Delivery) -> held.Held:
    """Make it so, of the very user that was decided about; each of the calls may be made twice.

    :raises errors.Conflict: when another user has the name that it shall have.
    :raises errors.Refused: when the permissions boundary is not there.
    """
    attribute, name = CHANGED[Kind(entry.kind)]
    change = Change(attribute, decided=entry.details[name], held=entry.details["before"])
    return make_so(held.subject_of(entry), change, delivery)
