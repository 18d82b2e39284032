"""The decisions of the long fault run about who gets in, and for how long: passwords, keys, grants and requests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import F

from accounts.kinds import Kind
from accounts.models import GroupGrant, Person, Request
from accounts.models.sealed import Purpose
from accounts.usecases import console_access, first_keys, group_grants, requests, sealed_secrets
from portal.secrets.models import SealedSecret
from tests.faults.stage import GROUPS, OTHER_GROUP, OTHER_POLICY, Stage, policy_arn

MOMENT = timedelta(microseconds=1)
# So short that grants end while others are still decided.
GRANTED_SECONDS = (2, 20)


def create_password(stage: Stage) -> bool:
    """Console access for an IAM user that somebody owns."""
    iam_user = stage.any_user(owner__isnull=False, login_profile=None)
    console_access.create_login_profile(by=stage.lead, iam_user=iam_user, at=_now())
    return True


def reset_password(stage: Stage) -> bool:
    """Another password."""
    iam_user = stage.any_user(login_profile__isnull=False)
    console_access.reset_login_profile(by=stage.lead, iam_user=iam_user, at=_now())
    return True


def remove_password(stage: Stage) -> bool:
    """No password any more."""
    iam_user = stage.any_user(login_profile__isnull=False)
    console_access.remove_login_profile(by=stage.lead, iam_user=iam_user, at=_now())
    return True


def create_key(stage: Stage) -> bool:
    """One more access key."""
    first_keys.create_access_key(by=stage.lead, iam_user=stage.any_user(owner__isnull=False), at=_now())
    return True


def open_secret(stage: Stage) -> bool:
    """A recipient opens what was sealed for them, and keeps what they saw."""
    sealed = _any_secret(stage)
    try:
        recipient = Person.objects.get(pk=sealed.recipient_id)
        secret = sealed_secrets.open_sealed_secret(by=recipient, secret_id=sealed.pk, at=_now())
    except (OperationalError, InterfaceError):
        stage.unseen.add(sealed.bound_to)
        raise
    stage.seen[sealed.bound_to] = secret.reveal()
    return True


def let_a_secret_expire(stage: Stage) -> bool:
    """Nobody opens the secret of a key in time, so that the key goes."""
    sealed = _any_secret(stage, purpose=Purpose.ACCESS_KEY)
    SealedSecret.objects.ready().filter(pk=sealed.pk).update(expires_at=F("created_at") + MOMENT)
    return bool(sealed_secrets.expire_sealed_secrets(by=None, at=_now()))


def grant_group(stage: Stage) -> bool:
    """A group of the envelope, for some seconds."""
    iam_user, group = stage.any_user(), stage.dice.choice(GROUPS)
    group_grants.grant_group(by=stage.lead, iam_user=iam_user, group_name=group, until=_soon(stage), at=_now())
    return True


def extend_grant(stage: Stage) -> bool:
    """Some seconds more."""
    grant = _any_grant(stage)
    later = grant.until + timedelta(seconds=stage.dice.randint(*GRANTED_SECONDS))
    group_grants.extend_grant(by=stage.lead, grant=grant, until=later, at=_now())
    return True


def give_back_grant(stage: Stage) -> bool:
    """A grant ends before its time."""
    group_grants.give_back_grant(by=stage.lead, grant=_any_grant(stage), at=_now())
    return True


def end_grants(stage: Stage) -> bool:
    """Once more what beat does, so that two do it at once."""
    return group_grants.end_due_grants(at=_now()) > 0


def ask(stage: Stage) -> bool:
    """The lead asks for what lies outside the envelope: a group, a group for some seconds, or a policy."""
    iam_user = stage.any_user()
    choices: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.IAM_USER_ADDED_TO_GROUP, {"group": OTHER_GROUP, "until": None}),
        (Kind.IAM_USER_ADDED_TO_GROUP, {"group": OTHER_GROUP, "until": _soon(stage)}),
        (Kind.IAM_USER_POLICY_ATTACHED, {"policy": policy_arn(iam_user.account, OTHER_POLICY)}),
    ]
    kind, change = stage.dice.choice(choices)
    requests.make_request(by=stage.lead, kind=kind, about=iam_user, change=change, reason="On call", at=_now())
    return True


def decide_request(stage: Stage) -> bool:
    """It is approved, as most are; or declined, or withdrawn."""
    request = stage.dice.choice(list(Request.objects.open().order_by("pk")))
    decisions: list[Callable[[], object]] = [
        *(3 * [lambda: requests.approve_request(by=stage.owner, request=request, at=_now())]),
        lambda: requests.decline_request(by=stage.owner, request=request, words="Not now", at=_now()),
        lambda: requests.withdraw_request(by=stage.lead, request=request, at=_now()),
    ]
    stage.dice.choice(decisions)()
    return True


def _any_secret(stage: Stage, **having: object) -> SealedSecret:
    return stage.dice.choice(list(SealedSecret.objects.ready().filter(**having).order_by("created_at", "pk")))


def _any_grant(stage: Stage) -> GroupGrant:
    running = GroupGrant.objects.running().select_related("iam_user__account", "iam_user__organization", "organization")
    return stage.dice.choice(list(running.order_by("pk")))


def _soon(stage: Stage) -> datetime:
    return _now() + timedelta(seconds=stage.dice.randint(*GRANTED_SECONDS))


def _now() -> datetime:
    return datetime.now(UTC)
