"""Offboarding somebody: disabled at once, deleted when the time has come, undone until then; and having it re-read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import access
from accounts.access import Permission
from accounts.delivery.held import QUIET_TIME
from accounts.kinds import Kind
from accounts.models import (
    AccessKey,
    Account,
    IAMUser,
    LoginProfile,
    Membership,
    OffboardedIAMUser,
    Offboarding,
    Organization,
    Person,
)
from accounts.policy.denial import POLICY_NAME
from accounts.usecases import imports
from accounts.usecases.memberships import lock
from accounts.usecases.records import about, about_iam_user, carried_to, record_change, require_reason
from accounts.usecases.stuck_steps import OF_LEAVERS, let_leavers_steps_give_way, let_stuck_steps_give_way
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import record

# Longer than this nobody wants to keep a leaver's IAM users; a typed year is more likely a slip.
LONGEST_DELAY = timedelta(days=365)


@transaction.atomic
def offboard_person(
    *,
    by: Person,
    organization: Organization,
    person: Person,
    reason: str,
    at: datetime,
    delete_after: datetime | None = None,
) -> Offboarding:
    """Decide that somebody leaves: their memberships end, their IAM users are disabled now and deleted later.

    `delete_after` is when; without one, `OFFBOARDING_DAYS` from now. When that is now, it cannot be undone.
    What they own for applications is not touched, and needs another owner.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere; nobody offboards themselves or a higher rank.
    :raises ValidationError: without a reason; for a time that is past; when they are being offboarded already, have
        nothing here, or have IAM users outside the teams of a lead.
    """
    access.require_to_offboard(by=by, organization=organization, person=person)
    lock(organization)
    # Once more: whoever decides may have been offboarded while this waited. So the last owner always stays.
    access.require_to_offboard(by=by, organization=organization, person=person)
    require_reason(reason)
    iam_users = _theirs(organization, person)
    _require_reach(by=by, organization=organization, iam_users=iam_users)
    offboarding = Offboarding(
        organization=organization, person=person, begun_by=by, reason=reason, begun_at=at,
        delete_after=_deletion_time(at, delete_after),
    )  # fmt: skip
    memberships = _ended_memberships(offboarding)
    if not memberships and not iam_users:
        raise ValidationError(f"{person} has no membership and no IAM user here: there is nothing to offboard.")
    _begin(offboarding, memberships)
    _record_start(offboarding, memberships, iam_users)
    for iam_user in iam_users:
        _take(offboarding, iam_user)
    if offboarding.delete_after <= at:
        _decide_deletions(offboarding.pk, at)
        offboarding.refresh_from_db()
    return offboarding


@transaction.atomic
def undo_offboarding(*, by: Person, offboarding: Offboarding, reason: str, at: datetime) -> Offboarding:
    """Decide that they stay: their memberships are theirs again, and what was active in AWS becomes so again.

    A console password cannot be given back: a new one has to be made.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason, or when its deletion was decided, or it was undone already.
    """
    access.require_on_offboarding(by=by, offboarding=offboarding)
    lock(offboarding.organization)
    require_reason(reason)
    open_one = Offboarding.objects.filter(pk=offboarding.pk, state=Offboarding.State.STARTED)
    if open_one.update(state=Offboarding.State.UNDONE, undone_at=at) != 1:
        raise ValidationError("It cannot be undone any more: its deletion was decided, or it was undone already.")
    offboarding.refresh_from_db()
    restored = _restore_memberships(offboarding)
    record(
        organization=offboarding.organization,
        kind=Kind.OFFBOARDING_UNDONE,
        by=by,
        subject=about(offboarding),
        at=at,
        reason=reason,
        details={"person": offboarding.person.email, "memberships": _told(restored)},
    )
    for row in _locked_rows(offboarding):
        if row.iam_user.gone_at is None and _deletion_of(row.iam_user) is None:
            _enable(row, by=by, reason=reason, at=at)
    return offboarding


def follow_offboardings(*, at: datetime) -> None:
    """Decide the deletions whose time has come, and conclude what has arrived; harmless to repeat."""
    for pk in Offboarding.objects.due(at).order_by("delete_after", "pk").values_list("pk", flat=True):
        _decide_deletions(pk, at)
    arrived = Offboarding.objects.arrived().values_list("pk", flat=True)
    still = Offboarding.objects.filter(pk__in=list(arrived), state=Offboarding.State.DELETING)
    still.update(state=Offboarding.State.CONCLUDED, concluded_at=at)
    let_leavers_steps_give_way(at=at)


@transaction.atomic
def read_again(*, by: Person, offboarding: Offboarding, at: datetime) -> int:
    """Have AWS read anew for the proof: each IAM user that is there, and each account that must show that one is gone.

    How many readings were begun; one that is going on already is not begun again.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    """
    access.require_on_offboarding(by=by, offboarding=offboarding)
    begun = 0
    for iam_user in IAMUser.objects.filter(offboardings__offboarding=offboarding, gone_at=None).exclude(user_id=""):
        with suppress(ValidationError, access.NotThere):
            imports.refresh_iam_user(by=by, iam_user=iam_user, at=at)
            begun += 1
    for account in _accounts_to_read(offboarding):
        with suppress(ValidationError):
            imports.start_import(account=account, at=at)
            begun += 1
    return begun


def _deletion_time(at: datetime, delete_after: datetime | None) -> datetime:
    if delete_after is None:
        return at + timedelta(days=settings.OFFBOARDING_DAYS)
    if delete_after < at:
        raise ValidationError({"delete_after": "That time has passed: choose a later one, or delete at once."})
    if delete_after > at + LONGEST_DELAY:
        raise ValidationError({"delete_after": f"Choose a time within {LONGEST_DELAY.days} days."})
    return delete_after


def _theirs(organization: Organization, person: Person) -> list[IAMUser]:
    """What they own in every account, locked: of two who decide at once, the second must see the first."""
    rows = IAMUser.objects.in_organization(organization).present().filter(owner=person)
    related = rows.select_related("account", "organization", "team", "owner")
    return list(related.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _require_reach(*, by: Person, organization: Organization, iam_users: Iterable[IAMUser]) -> None:
    """A lead's reach ends with the team's, also where a person of the team has an IAM user of another."""
    teams = access.teams_for(by=by, to=Permission.OFFBOARD_PERSON, organization=organization)
    led = None if access.may(by=by, to=Permission.OFFBOARD_PERSON, organization=organization) else set(teams)
    if led is not None and any(iam_user.team not in led for iam_user in iam_users):
        raise ValidationError("Some of their IAM users are not your team's: an owner or admin has to decide it.")


def _ended_memberships(offboarding: Offboarding) -> list[Membership]:
    rows = Membership.objects.in_organization(offboarding.organization).of(offboarding.person)
    return list(rows.filter(ended_at__isnull=True).select_related("team").order_by("pk"))


def _begin(offboarding: Offboarding, memberships: list[Membership]) -> None:
    try:
        with transaction.atomic():
            offboarding.save(force_insert=True)
    except IntegrityError:
        same = Offboarding.objects.open().in_organization(offboarding.organization)
        if same.filter(person=offboarding.person).exists():
            raise ValidationError(f"{offboarding.person} is being offboarded already.") from None
        raise
    offboarding.memberships.set(memberships)
    ended = Membership.objects.filter(pk__in=[membership.pk for membership in memberships])
    ended.update(ended_at=offboarding.begun_at)


def _record_start(offboarding: Offboarding, memberships: list[Membership], iam_users: list[IAMUser]) -> None:
    arns = {kind: [row.arn for row in iam_users if row.kind == kind] for kind in IAMUser.Kind}
    record(
        organization=offboarding.organization,
        kind=Kind.OFFBOARDING_STARTED,
        by=offboarding.begun_by,
        subject=about(offboarding),
        at=offboarding.begun_at,
        reason=offboarding.reason,
        details={
            "person": offboarding.person.email,
            "delete_after": offboarding.delete_after.isoformat(),
            "memberships": _told(memberships),
            "iam_users": arns[IAMUser.Kind.PERSON],
            "need_another_owner": arns[IAMUser.Kind.APPLICATION],
        },
    )


def _told(memberships: Iterable[Membership]) -> list[dict[str, str]]:
    return [{"duty": row.duty, "team": "" if row.team is None else row.team.name} for row in memberships]


def _take(offboarding: Offboarding, iam_user: IAMUser) -> None:
    row = OffboardedIAMUser(
        organization=offboarding.organization, offboarding=offboarding, iam_user=iam_user, kind=iam_user.kind
    )
    if iam_user.kind == IAMUser.Kind.PERSON:
        # What is stuck would be carried first, and so keep it from being disabled.
        let_stuck_steps_give_way(
            iam_user=iam_user, by=offboarding.begun_by, at=offboarding.begun_at, kinds=OF_LEAVERS, even_in_doubt=True
        )
        # As the portal knows it; the delivery writes down what it finds.
        active = AccessKey.objects.present().filter(iam_user=iam_user, status=AccessKey.Status.ACTIVE)
        row.active_access_key_ids = sorted(active.values_list("access_key_id", flat=True))
        row.had_login_profile = LoginProfile.objects.filter(iam_user=iam_user).exists()
        row.disabled = record_change(
            kind=Kind.IAM_USER_DISABLED,
            by=offboarding.begun_by,
            iam_user=iam_user,
            details={"offboarding": offboarding.pk, "policy": POLICY_NAME},
            reason=offboarding.reason,
            at=offboarding.begun_at,
        )
    row.save(force_insert=True)


def _restore_memberships(offboarding: Offboarding) -> list[Membership]:
    """Those that it ended; not one that somebody has granted anew meanwhile."""
    now = Membership.objects.in_organization(offboarding.organization).of(offboarding.person)
    held = set(now.filter(ended_at__isnull=True).values_list("duty", "team"))
    ended = offboarding.memberships.select_related("team").order_by("pk")
    restored = [row for row in ended if (row.duty, row.team_id) not in held]
    Membership.objects.filter(pk__in=[row.pk for row in restored]).update(ended_at=None)
    return restored


def _locked_rows(offboarding: Offboarding) -> list[OffboardedIAMUser]:
    rows = list(offboarding.iam_users.theirs().order_by("iam_user"))
    related = IAMUser.objects.select_related("account", "organization").filter(pk__in=[row.iam_user_id for row in rows])
    locked = {row.pk: row for row in related.select_for_update(of=("self",), no_key=True).order_by("pk")}
    for row in rows:
        row.iam_user = locked[row.iam_user_id]
    return rows


def _enable(row: OffboardedIAMUser, *, by: Person, reason: str, at: datetime) -> None:
    row.enabled = record_change(
        kind=Kind.IAM_USER_ENABLED,
        by=by,
        iam_user=row.iam_user,
        details={"offboarding": row.offboarding_id, "policy": POLICY_NAME},
        reason=reason,
        at=at,
    )
    row.save(update_fields=["enabled"])


def _deletion_of(iam_user: IAMUser) -> Entry | None:
    """The decision that it shall go, where somebody has made it and nobody has given it up."""
    decided = Delivery.objects.of(iam_user.organization).about("iam_user", iam_user.pk)
    kept = decided.filter(entry__kind=Kind.IAM_USER_DELETED).exclude(state=Delivery.State.GIVEN_UP)
    delivery = kept.select_related("entry").order_by("sequence").first()
    return None if delivery is None else delivery.entry


@transaction.atomic
def _decide_deletions(pk: int, at: datetime) -> None:
    """Decide once that all of it goes; of two that come at once, one finds nothing to decide."""
    due = Offboarding.objects.due(at).filter(pk=pk)
    if due.update(state=Offboarding.State.DELETING, deletion_decided_at=at) != 1:
        return
    offboarding = Offboarding.objects.select_related("organization", "person").get(pk=pk)
    for row in _locked_rows(offboarding):
        if row.iam_user.gone_at is None:
            row.deleted = _deletion_of(row.iam_user) or _record_deletion(offboarding, row.iam_user, at)
            row.save(update_fields=["deleted"])


def _record_deletion(offboarding: Offboarding, iam_user: IAMUser, at: datetime) -> Entry:
    """The portal decides it: whoever began the offboarding decided when, and may themselves have left since."""
    return record(
        organization=offboarding.organization,
        kind=Kind.IAM_USER_DELETED,
        by=None,
        subject=about_iam_user(iam_user),
        at=at,
        reason=offboarding.reason,
        details={"user_name": iam_user.user_name, "user_id": iam_user.user_id, "offboarding": offboarding.pk},
        deliver=carried_to(iam_user),
    )


def _accounts_to_read(offboarding: Offboarding) -> list[Account]:
    """Where one of theirs is gone, and every account that was not read since the last of them went."""
    gone = offboarding.iam_users.filter(iam_user__gone_at__isnull=False).values("iam_user__account")
    wanted = Q(pk__in=gone)
    if offboarding.state in (Offboarding.State.DELETING, Offboarding.State.CONCLUDED):
        since = offboarding.concluded_at or offboarding.deletion_decided_at or offboarding.begun_at
        wanted |= Q(read_at=None) | Q(read_at__lt=since + QUIET_TIME)
    accounts = Account.objects.importable().filter(organization=offboarding.organization)
    return list(accounts.filter(wanted).order_by("pk"))
