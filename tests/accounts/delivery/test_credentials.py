"""Carrying passwords and first keys: made once, sealed for the owner, and told to nobody else."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.delivery import passwords
from accounts.models import AccessKey, Account, IAMUser, LoginProfile, Membership, Person, Team
from accounts.models.sealed import Purpose, sealed_for
from accounts.usecases import console_access, first_keys, iam_users, sealed_secrets
from accounts.usecases.deliveries import try_again
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import Death, deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME = "ledger-writer"
Die = Callable[[int], None]


def key_ids(iam: Any) -> list[str]:
    return [key["AccessKeyId"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]]


def opened(sealed: SealedSecret, by: Person) -> str:
    return sealed_secrets.open_sealed_secret(by=by, secret_id=sealed.pk, at=timezone.now()).reveal()


def password_in(aws: AWS, account: Account) -> str | None:
    password: str | None = aws.backend(account.account_id).users[NAME].password
    return password


def test_a_password_is_made_and_sealed_for_the_owner(
    aws: AWS, iam: Any, prod: Account, lena: Person, mia: Person, mias: IAMUser
) -> None:
    console_access.create_login_profile(by=lena, iam_user=mias, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    row, sealed = LoginProfile.objects.get(), SealedSecret.objects.get()
    assert iam.get_login_profile(UserName=NAME)["LoginProfile"]["PasswordResetRequired"] is True
    assert (row.password_reset_required, row.source, row.read_at is not None) == (True, "get_login_profile", True)
    assert (sealed.recipient, sealed.purpose) == (mia, "Console password")
    assert sealed.expires_at - sealed.created_at == timedelta(hours=24)
    assert opened(sealed, mia) == password_in(aws, prod)


def test_a_key_is_made_and_sealed_for_the_owner(
    aws: AWS, iam: Any, prod: Account, lena: Person, mia: Person, mias: IAMUser
) -> None:
    first_keys.create_access_key(by=lena, iam_user=mias, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    row, sealed = AccessKey.objects.get(), SealedSecret.objects.get()
    assert key_ids(iam) == [row.access_key_id]
    assert (row.iam_user, row.status, row.source) == (mias, "Active", "list_access_keys")
    assert sealed_for(mias, Purpose.ACCESS_KEY).get() == sealed
    [held] = aws.backend(prod.account_id).users[NAME].access_keys
    assert opened(sealed, mia) == held.secret_access_key


def test_each_attempt_at_a_reset_has_a_password_of_its_own_and_the_last_is_sealed(
    aws: AWS, iam: Any, prod: Account, lena: Person, mia: Person, mias: IAMUser
) -> None:
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    factories.login_profile(mias)
    console_access.reset_login_profile(by=lena, iam_user=mias, at=database_now())
    aws.faults.inject("UpdateLoginProfile", Fault.DROP_AFTER)

    deliver_due()
    first = password_in(aws, prod)
    deliver_until_quiet()

    assert len(aws.calls("UpdateLoginProfile")) == 2
    assert first not in ("correct horse battery", password_in(aws, prod))
    assert opened(SealedSecret.objects.get(), mia) == password_in(aws, prod)


def test_a_new_password_makes_the_one_that_waits_worthless(iam: Any, lena: Person, mia: Person, mias: IAMUser) -> None:
    console_access.create_login_profile(by=lena, iam_user=mias, at=database_now())
    deliver_until_quiet()
    first = SealedSecret.objects.get()
    console_access.reset_login_profile(by=lena, iam_user=mias, at=database_now())
    deliver_until_quiet()

    first.refresh_from_db()
    assert (first.state, SealedSecret.objects.ready().count()) == ("expired", 1)


@pytest.mark.parametrize("how", ["removed", "deleted"])
def test_what_ends_takes_its_secrets_along(iam: Any, lena: Person, mias: IAMUser, how: str) -> None:
    console_access.create_login_profile(by=lena, iam_user=mias, at=database_now())
    deliver_until_quiet()

    if how == "removed":
        console_access.remove_login_profile(by=lena, iam_user=mias, at=database_now())
    else:
        iam_users.delete_iam_user(by=lena, iam_user=mias, reason="Left", at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE

    assert not LoginProfile.objects.exists()
    assert not SealedSecret.objects.ready().exists()


def test_a_password_that_is_gone_already_is_removed_all_the_same(iam: Any, lena: Person, mias: IAMUser) -> None:
    factories.login_profile(mias)
    console_access.remove_login_profile(by=lena, iam_user=mias, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert not LoginProfile.objects.exists()


# The recipient


def _owned_by_another(mias: IAMUser, mia: Person, lena: Person) -> None:
    IAMUser.objects.update(owner=lena)


def _disabled(mias: IAMUser, mia: Person, lena: Person) -> None:
    Person.objects.filter(pk=mia.pk).update(is_active=False)


def _left(mias: IAMUser, mia: Person, lena: Person) -> None:
    Membership.objects.filter(person=mia).update(ended_at=timezone.now())


CHANGES = {"owned by another": _owned_by_another, "disabled": _disabled, "left": _left}
DECIDE = {
    "CreateLoginProfile": console_access.create_login_profile,
    "UpdateLoginProfile": console_access.reset_login_profile,
    "CreateAccessKey": first_keys.create_access_key,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("operation", DECIDE)
def test_nothing_is_made_for_who_is_not_the_recipient_any_more(
    aws: AWS, iam: Any, lena: Person, mia: Person, mias: IAMUser, operation: str, change: str
) -> None:
    if operation == "UpdateLoginProfile":
        iam.create_login_profile(UserName=NAME, Password="correct horse battery")
        factories.login_profile(mias)
    DECIDE[operation](by=lena, iam_user=mias, at=database_now())
    CHANGES[change](mias, mia, lena)

    delivery = deliver_until_quiet()

    assert delivery.state_in_words(database_now()) == "Stuck: it does not hold any more"
    assert delivery.error.endswith("Nothing was sent.")
    assert aws.calls(operation) == []
    assert not SealedSecret.objects.exists()


def test_the_key_of_a_lost_answer_goes_even_when_its_recipient_has(
    aws: AWS, iam: Any, lena: Person, mia: Person, mias: IAMUser
) -> None:
    first_keys.create_access_key(by=lena, iam_user=mias, at=database_now())
    aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)
    deliver_due()
    assert len(key_ids(iam)) == 1
    Person.objects.filter(pk=mia.pk).update(is_active=False)

    delivery = deliver_until_quiet()

    assert delivery.stuck_kind == "outdated"
    assert key_ids(iam) == []


# A worker that dies


@pytest.mark.parametrize("operation", ["CreateAccessKey", "UpdateLoginProfile"])
def test_a_worker_that_dies_before_the_seal_leaves_no_orphan(
    aws: AWS, iam: Any, prod: Account, lena: Person, mia: Person, mias: IAMUser, operation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if operation == "UpdateLoginProfile":
        iam.create_login_profile(UserName=NAME, Password="correct horse battery")
        factories.login_profile(mias)
    DECIDE[operation](by=lena, iam_user=mias, at=database_now())

    def die(**kwargs: object) -> SealedSecret:
        raise Death

    with monkeypatch.context() as patch, pytest.raises(Death):
        patch.setattr(seal, "seal", die)
        deliver_due()
    assert not SealedSecret.objects.exists()
    Delivery.objects.update(lease_until=database_now() - timedelta(seconds=1))
    assert deliver_until_quiet().state == Delivery.State.DONE

    [sealed] = SealedSecret.objects.all()
    if operation == "CreateAccessKey":
        assert key_ids(iam) == [key.access_key_id for key in AccessKey.objects.all()]
        [held] = aws.backend(prod.account_id).users[NAME].access_keys
        assert opened(sealed, mia) == held.secret_access_key
    else:
        assert opened(sealed, mia) == password_in(aws, prod)


def test_a_doubtful_password_is_put_to_a_human_who_can_help(
    aws: AWS, iam: Any, prod: Account, olive: Person, lena: Person, mia: Person, mias: IAMUser
) -> None:
    console_access.create_login_profile(by=lena, iam_user=mias, at=database_now())
    aws.faults.inject("CreateLoginProfile", Fault.DROP_AFTER)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "Nobody may know its secret" in delivery.error
    iam.delete_login_profile(UserName=NAME)
    try_again(by=olive, delivery=delivery, reason="Deleted in AWS", at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert opened(SealedSecret.objects.get(), mia) == password_in(aws, prod)


def test_a_new_iam_user_gets_all_of_it(
    aws: AWS, iam: Any, prod: Account, payments: Team, lena: Person, mia: Person
) -> None:
    iam_users.create_iam_user(
        by=lena, team=payments, account=prod, user_name="mia", kind="person", owner=mia, console_access=True,
        access_key=True, at=database_now(),
    )  # fmt: skip

    deliver_until_quiet()

    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert set(SealedSecret.objects.values_list("purpose", flat=True)) == {"Console password", "Access key"}
    assert aws.backend(prod.account_id).users["mia"].password


def test_of_a_creation_that_was_given_up_nothing_is_sent(aws: AWS, iam: Any, lena: Person, mias: IAMUser) -> None:
    first_keys.create_access_key(by=lena, iam_user=mias, at=database_now())
    IAMUser.objects.update(user_id="", gone_at=timezone.now())

    delivery = deliver_until_quiet()

    assert delivery.error == "ledger-writer is not in AWS. Nothing was sent."
    assert aws.calls("CreateAccessKey") == []


# The canary


@pytest.mark.parametrize("fault", [None, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.UNKNOWN, Fault.DENY])
def test_no_secret_stands_anywhere_but_in_the_seal(
    aws: AWS, iam: Any, prod: Account, lena: Person, mia: Person, mias: IAMUser, caplog: pytest.LogCaptureFixture,
    fault: Fault | None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A08: whatever happens, at the loudest log."""
    told: list[str] = []
    _overhear(told, monkeypatch)
    caplog.set_level(logging.DEBUG)
    console_access.create_login_profile(by=lena, iam_user=mias, at=database_now())
    first_keys.create_access_key(by=lena, iam_user=mias, at=database_now())
    for operation in ("CreateLoginProfile", "CreateAccessKey"):
        if fault is not None:
            aws.faults.inject(operation, fault)
    deliver_until_quiet()
    secrets = {*told, *(key.secret_access_key for key in aws.backend(prod.account_id).users[NAME].access_keys)}

    rows: list[object] = [str(list(model.objects.values())) for model in (Entry, Delivery, SealedSecret)]
    rows += [repr(list(SealedSecret.objects.all())), str(list(LoginProfile.objects.values())), caplog.text]
    assert told
    assert [secret for secret in secrets for row in rows if secret in str(row)] == []


def _overhear(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = passwords.made

    def overheard(**kwargs: Any) -> str:
        told.append(made(**kwargs))
        return told[-1]

    monkeypatch.setattr(passwords, "made", overheard)
