"""How the long fault run comes to rest: time passes, and a human does what a stuck delivery asks for."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q

from accounts.delivery.held import QUIET_TIME, iam_of
from accounts.models import GroupGrant, IAMUser, LoginProfile, Offboarding
from accounts.usecases import deliveries, group_grants, offboarding
from portal.aws import errors
from portal.ledger.deliver import CannotBeRetried, retry
from portal.ledger.models import Delivery
from tests.faults.stage import Stage

QUIET_SECONDS = 180
# A human looks at what waits, and tries it again, about this often.
LOOK_SECONDS = 2.0
HOUR = timedelta(hours=1)


def wait_until_quiet(stage: Stage) -> None:
    """What waits or was stranded too often is tried again, as a human would; the rest is the workers' and beat's."""
    end = time.monotonic() + QUIET_SECONDS
    while _is_moving() and time.monotonic() < end:
        _let_an_hour_pass()
        now = datetime.now(UTC)
        # Beat does so each minute.
        group_grants.end_due_grants(at=now)
        offboarding.follow_offboardings(at=now)
        for delivery in Delivery.objects.filter(state__in=["waiting", "stuck"]).select_related("entry"):
            _look_at(delivery, stage)
        time.sleep(LOOK_SECONDS)


def _is_moving() -> bool:
    going = Offboarding.objects.due(datetime.now(UTC)) | Offboarding.objects.filter(state=Offboarding.State.DELETING)
    return Delivery.objects.open().exists() or GroupGrant.objects.running().exists() or going.exists()


def _look_at(delivery: Delivery, stage: Stage) -> None:
    """Each sort of stuck says another thing; what nobody foresaw here is left as it is, and shows as a difference."""
    now = datetime.now(UTC)
    if delivery.state == Delivery.State.WAITING or delivery.stuck_kind == Delivery.StuckKind.UNKNOWN:
        with suppress(CannotBeRetried):
            retry(delivery=delivery)
    elif delivery.stuck_kind == Delivery.StuckKind.OUTDATED:
        deliveries.give_up(by=stage.owner, delivery=delivery, reason=delivery.error, at=now)
    elif "Delete it in AWS if it is nobody's, then try again." in delivery.error:
        iam_user = IAMUser.objects.select_related("account").get(pk=delivery.entry.subject_id)
        with suppress(errors.NotFound):
            iam_of(iam_user.account).delete_login_profile(user_name=iam_user.user_name)
        deliveries.try_again(by=stage.owner, delivery=delivery, reason="It was nobody's", at=now)


def _let_an_hour_pass() -> None:
    """AWS's quiet time and the times of grants are not waited for here."""
    young = datetime.now(UTC) - HOUR / 2
    IAMUser.objects.filter(create_date__gt=young).update(create_date=F("create_date") - HOUR)
    LoginProfile.objects.filter(password_last_changed__gt=young).update(
        password_last_changed=F("password_last_changed") - HOUR
    )
    long_ago = (datetime.now(UTC) - QUIET_TIME - timedelta(seconds=1)).isoformat()
    for delivery in Delivery.objects.filter(Q(state="waiting") | Q(state="due"), baseline__called_at__isnull=False):
        kept = delivery.baseline or {}
        if kept.get("called_at"):
            still = Delivery.objects.filter(pk=delivery.pk, state=delivery.state)
            still.update(baseline={**kept, "called_at": long_ago})
