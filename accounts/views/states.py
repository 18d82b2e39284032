"""How pages speak of the state of a thing: words first, then a tone; whether it may still move by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.defaultfilters import pluralize

from accounts.models import (
    AccessKey,
    Account,
    AccountDiscovery,
    AccountImport,
    Boundary,
    ConnectionTest,
    DiscoveredAccount,
    Drift,
    IAMUser,
    Offboarding,
    Request,
)
from portal.ledger.models import Delivery, Entry

TONES = {
    Delivery.State.DUE: "pending",
    Delivery.State.CALLING: "pending",
    Delivery.State.WAITING: "waiting",
    Delivery.State.STUCK: "danger",
    Delivery.State.DONE: "ok",
    Delivery.State.GIVEN_UP: "neutral",
}


ADVICE = {
    Delivery.StuckKind.DENIED: "Whoever runs the AWS account can allow it for the portal's role; then try again.",
    Delivery.StuckKind.REFUSED: "AWS will not take it as it was decided. "
    "Mend what it names and try again, or give it up and decide anew.",
    Delivery.StuckKind.CONFLICT: "AWS holds something that the portal did not make. "
    "Look at it there; then try again or give up.",
    Delivery.StuckKind.OUTDATED: "Put right what it names and try again, or give it up and decide anew.",
    Delivery.StuckKind.UNKNOWN: "Look at what AWS holds; then try again or give up.",
}

ASK_AN_OWNER = "An owner or admin of your organization decides that."
WAIT = "Nothing needs doing: the portal tries again by itself."

ACCOUNT_TONES = {
    Account.State.NEW: "neutral",
    Account.State.CONNECTED: "ok",
    Account.State.REFUSED: "danger",
    Account.State.UNREACHABLE: "danger",
}

IMPORT_TONES = {
    AccountImport.State.WAITING: "pending",
    AccountImport.State.READING: "pending",
    AccountImport.State.APPLIED: "ok",
    AccountImport.State.FAILED: "danger",
}

REQUEST_TONES = {
    Request.State.OPEN: "waiting",
    Request.State.APPROVED: "ok",
    Request.State.DECLINED: "danger",
    Request.State.WITHDRAWN: "neutral",
    Request.State.EXPIRED: "neutral",
    Request.State.LAPSED: "danger",
}

TEST_TONES = {
    ConnectionTest.State.WAITING: "pending",
    ConnectionTest.State.TESTING: "pending",
    ConnectionTest.State.PASSED: "ok",
    ConnectionTest.State.FAILED: "danger",
}

CHECK_TONES = {
    "passed": "ok",
    "incomplete": "waiting",
    "failed": "danger",
    "unclear": "waiting",
    "left out": "neutral",
}

DISCOVERY_TONES = {
    AccountDiscovery.State.WAITING: "pending",
    AccountDiscovery.State.READING: "pending",
    AccountDiscovery.State.APPLIED: "ok",
    AccountDiscovery.State.FAILED: "danger",
}


BOUNDARY_TONES = {
    Boundary.State.PENDING: "pending",
    Boundary.State.KEPT: "ok",
    Boundary.State.ALTERED: "danger",
    Boundary.State.GONE: "danger",
}


@dataclass(frozen=True)
class Shown:
    """`tone` is one of the badge's: neutral, ok, pending, waiting, danger."""

    words: str
    tone: str
    is_moving: bool = False


def of_delivery(delivery: Delivery, *, at: datetime) -> Shown:
    """The delivery's own words; it moves as long as no human is needed."""
    is_moving = delivery.is_open and delivery.state != Delivery.State.STUCK
    return Shown(delivery.state_in_words(at), TONES[Delivery.State(delivery.state)], is_moving)


def advice(delivery: Delivery, *, may_change: bool) -> str:
    """What to do about a delivery that is not getting on, by whom; nothing for one that is or has ended."""
    if delivery.state == Delivery.State.STUCK:
        words = ADVICE[Delivery.StuckKind(delivery.stuck_kind)]
        return words if may_change else f"{words} {ASK_AN_OWNER}"
    return WAIT if delivery.is_open and delivery.error else ""


def advice_on_account(*, may_connect: bool) -> str:
    """What to do about an account that cannot be entered; who may not connect it does not see its external ID."""
    if may_connect:
        return "Check that the role trusts the portal with the external ID below, then press Refresh now."
    return "Until an owner or admin of your organization has put it right, nothing here is read or changed."


def of_boundary(boundary: Boundary, delivery: Delivery | None, *, at: datetime) -> Shown:
    """Of the boundary that the portal keeps; while something is on its way, that speaks."""
    if delivery is not None:
        return of_delivery(delivery, at=at)
    return Shown(boundary.get_state_display(), BOUNDARY_TONES[Boundary.State(boundary.state)])


def of_account(account: Account) -> Shown:
    """Whether the portal can enter it."""
    return Shown(account.get_state_display(), ACCOUNT_TONES[Account.State(account.state)])


def pace_of(account: Account) -> str:
    """How fast the portal calls it: its own figures, else the usual ones."""
    rate = account.calls_per_second or settings.AWS_CALLS_PER_SECOND
    words = f"{rate:g} call{pluralize(rate)} per second, {account.calls_burst or settings.AWS_CALLS_BURST} at once"
    return words if account.calls_per_second or account.calls_burst else f"{words}, as usual"


def of_import(account_import: AccountImport) -> Shown:
    """How far a reading has come."""
    is_moving = account_import.state in AccountImport.OPEN
    return Shown(account_import.get_state_display(), IMPORT_TONES[AccountImport.State(account_import.state)], is_moving)


def of_connection_test(test: ConnectionTest) -> Shown:
    """How far a test of a connection has come."""
    is_moving = test.state in ConnectionTest.OPEN
    return Shown(test.get_state_display(), TEST_TONES[ConnectionTest.State(test.state)], is_moving)


def of_request(request: Request) -> Shown:
    """Whether somebody has decided about it, and how."""
    return Shown(request.get_state_display(), REQUEST_TONES[Request.State(request.state)])


def of_check(check: Mapping[str, Any]) -> Shown:
    """What came of one check of a test."""
    return Shown(check["outcome"].capitalize(), CHECK_TONES[check["outcome"]])


def of_discovery(discovery: AccountDiscovery) -> Shown:
    """How far a reading of the accounts of an AWS organization has come."""
    is_moving = discovery.state in AccountDiscovery.OPEN
    return Shown(discovery.get_state_display(), DISCOVERY_TONES[AccountDiscovery.State(discovery.state)], is_moving)


def of_discovered(found: DiscoveredAccount, account: Account | None, *, is_own: bool) -> Shown:
    """Whether it is connected, or could be; whose it is elsewhere is not said."""
    if account is not None and is_own:
        return of_account(account)
    if account is not None:
        return Shown("Cannot be connected here", "neutral")
    if not found.is_active:
        return Shown(f"{found.status.replace('_', ' ').capitalize()} in AWS", "neutral")
    return Shown("Not connected", "neutral")


def key_ages(keys: Iterable[AccessKey], *, after_days: int, at: datetime) -> str:
    """How old each key is, and what is wrong with it: "95 days, overdue · 3 days"."""
    return " · ".join(_key_age(key, after_days, at) for key in keys) or "No keys"


def of_oldest_key(keys: Iterable[AccessKey], *, after_days: int, at: datetime) -> Shown:
    """How old the oldest active key is, and whether it should have been rotated; of several also how many there are."""
    listed = sorted(keys, key=lambda key: (key.status != AccessKey.Status.ACTIVE, key.create_date))
    if not listed:
        return Shown("No keys", "neutral")
    others = f" · {len(listed)} keys" if len(listed) > 1 else ""
    is_overdue = listed[0].is_overdue(after_days=after_days, at=at)
    return Shown(f"{_key_age(listed[0], after_days, at)}{others}", "waiting" if is_overdue else "ok")


def of_access_key(key: AccessKey, delivery: Delivery | None, *, is_overdue: bool, at: datetime) -> Shown:
    """Whether it works and should, or what is on its way about it."""
    if delivery is not None:
        return of_delivery(delivery, at=at)
    if key.status != AccessKey.Status.ACTIVE:
        return Shown("Inactive", "neutral")
    return Shown("Active, overdue", "waiting") if is_overdue else Shown("Active", "ok")


def of_mfa(*, has_password: bool, has_mfa: bool) -> Shown:
    """Whether whoever has the password needs a device too."""
    if has_mfa:
        return Shown("MFA", "ok")
    return Shown("No MFA", "waiting") if has_password else Shown("No password", "neutral")


def _key_age(key: AccessKey, after_days: int, at: datetime) -> str:
    days, is_overdue = key.age_days(at=at), key.is_overdue(after_days=after_days, at=at)
    remark = ", inactive" if key.status != AccessKey.Status.ACTIVE else ", overdue" if is_overdue else ""
    return f"{days} day{'' if days == 1 else 's'}{remark}"


def of_iam_user(iam_user: IAMUser, delivery: Delivery | None, *, at: datetime) -> Shown:
    """What is on its way, else whether AWS holds it, and as it was decided."""
    if iam_user.gone_at is not None:
        return Shown("Not in AWS any more" if iam_user.user_id else "Never reached AWS", "neutral")
    if delivery is not None:
        return of_delivery(delivery, at=at)
    if iam_user.has_open_drift:
        return Shown("Drifted", "waiting")
    return Shown("In AWS", "ok") if iam_user.is_in_aws else Shown("Not in AWS", "neutral")


def missing_of(iam_user: IAMUser) -> str:
    """What nobody has said of it: "No team, no owner"; nothing where all is said."""
    lacks = [name for name in ("team", "owner") if getattr(iam_user, f"{name}_id") is None]
    return ", ".join(f"no {name}" for name in lacks).capitalize()


def of_past_drift(drift: Drift, entry: Entry | None, *, at: datetime) -> Shown:
    """What became of it, `entry` being the decision about it; while that is on its way to AWS, where it stands."""
    for delivery in entry.deliveries.all() if entry is not None else ():
        if delivery.is_open:
            return of_delivery(delivery, at=at)
    if drift.state == Drift.State.ADOPTED:
        return Shown("Adopted" if entry is not None else "Adopted by itself", "neutral")
    return Shown(drift.get_state_display(), "ok" if drift.state == Drift.State.REVERTED else "neutral")


OFFBOARDING_TONES = {
    Offboarding.State.STARTED: "waiting",
    Offboarding.State.DELETING: "pending",
    Offboarding.State.UNDONE: "neutral",
    Offboarding.State.CONCLUDED: "ok",
}


def of_offboarding(offboarding: Offboarding, *, is_late: bool) -> Shown:
    """How far somebody's leaving is; that it has not arrived in time goes before all else."""
    if is_late:
        return Shown("Not arrived in AWS", "danger")
    return Shown(offboarding.get_state_display(), OFFBOARDING_TONES[Offboarding.State(offboarding.state)])
