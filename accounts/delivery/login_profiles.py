"""Carrying decisions about console passwords. The worker makes the password, and hands it on sealed alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.delivery import baseline, held, passwords, sealing
from accounts.models import IAMUser, LoginProfile, Source
from accounts.models.sealed import Bond, Purpose, sealed_for
from portal.aws import errors
from portal.aws.iam import IAM
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal
from portal.secrets.secret import Secret


@dataclass(frozen=True)
class NewPassword:
    """What AWS has taken for the IAM user; `changed_at` is AWS's time, or that of its answer where it tells none.

    `known_at` lies behind the call: a reading that began before it may have seen what was there before.
    """

    password: Secret
    changed_at: datetime
    known_at: datetime
    delivery_id: int


def carry_creation(entry: Entry, delivery: Delivery) -> NewPassword:
    """Give the IAM user its login profile, with one call.

    :raises Outdated: when its recipient is not the owner any more.
    :raises errors.Conflict: when it has one already, or one whose password nobody may know.
    """
    iam_user = held.subject_of(entry)
    iam, password = held.iam_of(iam_user.account), _password_for(iam_user)
    thing = baseline.login_profile(iam, user_name=iam_user.user_name, password=password.reveal(), is_to_be_changed=True)
    sealing.require_recipient_or_clear(entry, iam_user, thing, delivery)
    user = held.require_same(iam, iam_user)
    try:
        profile = baseline.make_once(thing, delivery=delivery)
    except errors.NotFound as error:
        raise held.may_not_be_seen_yet(user.create_date, error) from None
    return NewPassword(password, profile.create_date, database_now(), delivery.pk)


def carry_reset(entry: Entry, delivery: Delivery) -> NewPassword:
    """Give the IAM user another password, another one in each attempt: the last one is sealed.

    :raises Outdated: when its recipient is not the owner any more.
    :raises errors.NotFound: when it has no password.
    """
    iam_user = held.subject_of(entry)
    sealing.require_recipient(entry, iam_user)
    iam, password = held.iam_of(iam_user.account), _password_for(iam_user)
    held.require_same(iam, iam_user)
    try:
        iam.update_login_profile(user_name=iam_user.user_name, password=password.reveal(), password_reset_required=True)
    except errors.NotFound as error:
        raise held.may_not_be_seen_yet(_changed_at(iam_user), error) from None
    changed_at = database_now()
    return NewPassword(password, changed_at, changed_at, delivery.pk)


def settle(entry: Entry, answer: NewPassword, at: datetime) -> None:
    """The row says that it has a password, whose secret waits for its owner; an earlier one opens nothing any more."""
    iam_user = held.locked(entry)
    LoginProfile.objects.update_or_create(
        iam_user=iam_user,
        defaults={
            "organization": iam_user.organization,
            "account": iam_user.account,
            "password_last_changed": answer.changed_at,
            "password_reset_required": True,
            # What CreateLoginProfile answers, and UpdateLoginProfile was sent, is what GetLoginProfile tells.
            "source": Source.GET_LOGIN_PROFILE,
            "read_at": answer.known_at,
        },
    )
    seal.withdraw(sealed_for(iam_user, Purpose.PASSWORD))
    bond = Bond(Purpose.PASSWORD, iam_user.pk, str(answer.delivery_id))
    sealing.seal_for_recipient(entry, answer.password, bond, at)


def carry_deletion(entry: Entry, delivery: Delivery) -> datetime:
    """Take the console password away; the time since which it has none."""
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    _delete(iam, iam_user)
    return database_now()


def settle_deletion(entry: Entry, answer: datetime, at: datetime) -> None:
    """The row goes, unless a later reading has found another password; a secret that waits opens nothing any more."""
    iam_user = held.locked(entry)
    LoginProfile.objects.filter(iam_user=iam_user).exclude(read_at__gt=answer).delete()
    seal.withdraw(sealed_for(iam_user, Purpose.PASSWORD))


def _delete(iam: IAM, iam_user: IAMUser) -> None:
    try:
        iam.delete_login_profile(user_name=iam_user.user_name)
    except errors.NotFound as error:
        outcome = held.may_not_be_seen_yet(_changed_at(iam_user), error)
        if isinstance(outcome, errors.TryLater):
            raise outcome from None


def _password_for(iam_user: IAMUser) -> Secret:
    account = iam_user.account
    return Secret(passwords.made(password_policy=account.password_policy, account_name=account.name))


def _changed_at(iam_user: IAMUser) -> datetime | None:
    return LoginProfile.objects.filter(iam_user=iam_user).values_list("password_last_changed", flat=True).first()
