"""Whether an account holds the portal's boundary as it was decided, concluded from a complete reading."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Account, Boundary, IAMPolicy
from portal.ledger.models import Delivery


def conclude(account: Account, *, read_at: datetime) -> None:
    """Tell the boundary's row; while something decided is on its way, and of what is newer, nothing is concluded."""
    boundary = Boundary.objects.select_for_update(of=("self",), no_key=True).filter(account=account).first()
    if boundary is None or boundary.state_at > read_at:
        return
    on_its_way = Delivery.objects.of(account.organization).open().about("boundary", boundary.pk)
    if not on_its_way.exists():
        boundary.tell(_state(boundary), at=read_at)


def _state(boundary: Boundary) -> Boundary.State:
    held = IAMPolicy.objects.present().filter(account=boundary.account_id, arn=boundary.arn).first()
    if held is None:
        return Boundary.State.GONE
    # Another policy of this name, made by somebody else, is none that the portal keeps.
    is_same = held.pk == boundary.policy_id and held.document == boundary.document
    return Boundary.State.KEPT if is_same else Boundary.State.ALTERED
