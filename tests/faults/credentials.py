"""The scenarios of passwords and access keys: one more in AWS, its secret sealed for the owner, and no orphan."""

from datetime import datetime, timedelta

from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import console_access, first_keys, own_secrets, sealed_secrets
from accounts.usecases.deliveries import give_up
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from portal.secrets import seal
from portal.secrets.browser import bound
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret
from tests import factories
from tests.aws.strict import Fault
from tests.faults.enumerated import NAME, House, Scenario, a_user
from tests.portal.secrets.browsers import Browser

DAY = timedelta(days=1)
BROWSER = Browser()


def _owned(house: House) -> IAMUser:
    """An IAM user in AWS, within the envelope, owned by the lead; a key of it is nobody's business here."""
    row = a_user(house)
    IAMUser.objects.filter(pk=row.pk).update(owner=house.olive)
    key = house.aws.boto3(house.account.account_id).create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    factories.access_key(row, access_key_id=key)
    return row


def _with_a_password(house: House) -> None:
    row = _owned(house)
    house.aws.boto3(house.account.account_id).create_login_profile(UserName=NAME, Password="correct horse battery")
    factories.login_profile(row)


def _with_a_key_that_nobody_opened(house: House) -> None:
    _with_a_key_that_waits(house, until=database_now() - DAY)


def _with_a_key_that_waits(house: House, *, until: datetime | None = None) -> None:
    row = _owned(house)
    key = AccessKey.objects.create(**_another_key(house, row))
    bond = Bond(Purpose.ACCESS_KEY, row.pk, key.access_key_id)
    seal.seal(
        organization=row.organization, recipient=house.olive, purpose=bond.purpose, bound_to=str(bond),
        secret=Secret("lost"), at=database_now() - 2 * DAY, expires_at=until or database_now() + DAY,
    )  # fmt: skip


def _with_a_key_whose_answer_was_lost(house: House) -> None:
    _owned(house)
    _create_key(house)
    house.aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)
    deliver_due()


def _another_key(house: House, row: IAMUser) -> dict[str, object]:
    made = house.aws.boto3(house.account.account_id).create_access_key(UserName=NAME)["AccessKey"]
    whose = {"organization": row.organization, "account": row.account, "iam_user": row}
    return {**whose, "access_key_id": made["AccessKeyId"], "status": "Active", "create_date": made["CreateDate"]}


def _create_password(house: House) -> None:
    console_access.create_login_profile(by=house.olive, iam_user=house.user(), at=database_now())


def _reset_password(house: House) -> None:
    console_access.reset_login_profile(by=house.olive, iam_user=house.user(), at=database_now())


def _remove_password(house: House) -> None:
    console_access.remove_login_profile(by=house.lena, iam_user=house.user(), at=database_now())


def _create_key(house: House) -> None:
    first_keys.create_access_key(by=house.olive, iam_user=house.user(), at=database_now())


def _create_key_for_a_browser(house: House) -> None:
    first_keys.create_access_key(by=house.olive, iam_user=house.user(), at=database_now(), browser_key=BROWSER.public)


def _give_up_the_secret(house: House) -> None:
    sealed = SealedSecret.objects.ready().get()
    own_secrets.give_up_secret(by=house.olive, secret_id=sealed.pk, at=database_now())


def _expire(house: House) -> None:
    sealed_secrets.expire_sealed_secrets(by=None, at=database_now())


def _give_up(house: House) -> None:
    delivery = Delivery.objects.get(entry__kind=Kind.ACCESS_KEY_CREATED)
    give_up(by=house.olive, delivery=delivery, reason="Not needed", at=database_now())


def _delete_the_doubtful_password(house: House) -> None:
    """What the stuck delivery asks for."""
    house.aws.boto3(house.account.account_id).delete_login_profile(UserName=NAME)


def _opened(house: House) -> str:
    """What the one secret that waits holds."""
    sealed = SealedSecret.objects.ready().get()
    return seal.open_once(secret_id=sealed.pk, by=house.olive, at=database_now()).reveal()


def _the_password_is_the_sealed_one(house: House) -> None:
    assert _opened(house) == house.aws.backend(house.account.account_id).users[NAME].password


def _the_new_key_is_the_sealed_one(house: House) -> None:
    keys = house.aws.backend(house.account.account_id).users[NAME].access_keys
    assert len(keys) == 2
    assert _opened(house) in {key.secret_access_key for key in keys}


def _the_lost_key_is_gone(house: House) -> None:
    assert len(house.aws.backend(house.account.account_id).users[NAME].access_keys) == 1


def _the_browser_opens_what_is_sealed(house: House) -> None:
    keys = house.aws.backend(house.account.account_id).users[NAME].access_keys
    sealed = SealedSecret.objects.ready().get()
    assert BROWSER.open(_opened(house), bound(sealed)) in {key.secret_access_key for key in keys}


SCENARIOS = {
    "create console password": Scenario(
        Kind.LOGIN_PROFILE_CREATED,
        _owned,
        _create_password,
        help=_delete_the_doubtful_password,
        check=_the_password_is_the_sealed_one,
    ),
    "reset password": Scenario(
        Kind.LOGIN_PROFILE_RESET, _with_a_password, _reset_password, check=_the_password_is_the_sealed_one
    ),
    "remove console access": Scenario(Kind.LOGIN_PROFILE_DELETED, _with_a_password, _remove_password),
    "create access key": Scenario(Kind.ACCESS_KEY_CREATED, _owned, _create_key, check=_the_new_key_is_the_sealed_one),
    "look for a lost access key": Scenario(
        Kind.ACCESS_KEY_CLEARED_UP, _with_a_key_whose_answer_was_lost, _give_up, check=_the_lost_key_is_gone
    ),
    "create access key for a browser": Scenario(
        Kind.ACCESS_KEY_CREATED, _owned, _create_key_for_a_browser, check=_the_browser_opens_what_is_sealed
    ),
    "give up secret": Scenario(Kind.SECRET_GIVEN_UP, _with_a_key_that_waits, _give_up_the_secret),
    "expire access key": Scenario(Kind.SECRET_EXPIRED, _with_a_key_that_nobody_opened, _expire),
}
