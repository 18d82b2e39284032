"""The scenarios of rotations, and of keys that change by themselves: one more, then one less, and one that works."""

from collections.abc import Callable
from datetime import UTC
from functools import partial

from moto.iam.models import AccessKeyLastUsed

from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Rotation
from accounts.usecases import access_keys
from accounts.usecases import rotation as steps
from accounts.usecases.rotation_following import follow_rotations
from accounts.usecases.sealed_secrets import open_sealed_secret
from portal.ledger.clock import database_now
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import HOUR
from tests.faults.enumerated import NAME, House, Scenario, a_user, quiesce


def _with_a_key(house: House) -> None:
    """An IAM user in AWS, owned by whoever decides here, with one key."""
    row = a_user(house)
    IAMUser.objects.filter(pk=row.pk).update(owner=house.olive)
    made = house.aws.boto3(house.account.account_id).create_access_key(UserName=NAME)["AccessKey"]
    factories.access_key(row, access_key_id=made["AccessKeyId"], create_date=made["CreateDate"])
    _age(house)


def _age(house: House) -> None:
    """Let the keys have been made before the quiet time: one that is not found then is gone."""
    for key in _held(house):
        key.create_date -= HOUR
        made_at = key.create_date.replace(tzinfo=UTC)
        AccessKey.objects.filter(access_key_id=key.access_key_id).update(create_date=made_at)


def _made(house: House) -> None:
    _with_a_key(house)
    _start(house)
    quiesce()
    _age(house)


def _proven(house: House) -> None:
    """Opened, and used: AWS and the portal both know it."""
    _made(house)
    open_sealed_secret(by=house.olive, secret_id=SealedSecret.objects.get().pk, at=database_now())
    new_key, now = _new_key(), database_now()
    [held] = [key for key in _held(house) if key.access_key_id == new_key.access_key_id]
    held.last_used = AccessKeyLastUsed(now, "s3", "us-east-1")
    used = {"last_used_date": now, "last_used_read_at": now, "last_used_source": "get_access_key_last_used"}
    AccessKey.objects.filter(pk=new_key.pk).update(**used)
    follow_rotations(at=now)


def _deactivated(house: House) -> None:
    _proven(house)
    _decide(steps.make_old_key_inactive, house)
    quiesce()


def _inactive(house: House) -> None:
    """No rotation: a key that somebody has made inactive."""
    _with_a_key(house)
    _change(access_keys.make_key_inactive, house)
    quiesce()


def _start(house: House) -> None:
    steps.start_rotation(by=house.olive, access_key=AccessKey.objects.get(), at=database_now())


def _decide(step: Callable[..., Rotation], house: House) -> None:
    step(by=house.olive, rotation=Rotation.objects.get(), reason="I know", at=database_now())


def _change(change: Callable[..., AccessKey], house: House) -> None:
    change(by=house.olive, access_key=AccessKey.objects.get(), at=database_now())


def _held(house: House) -> list:
    return list(house.aws.backend(house.account.account_id).users[NAME].access_keys)


def _new_key() -> AccessKey:
    new_key = Rotation.objects.get().new_key
    assert new_key is not None
    return new_key


def _its_secret_is_sealed(house: House) -> None:
    rotation, now = Rotation.objects.get(), database_now()
    assert rotation.state == "made"
    secret = open_sealed_secret(by=house.olive, secret_id=SealedSecret.objects.ready().get().pk, at=now).reveal()
    assert [key.secret_access_key for key in _held(house) if key.access_key_id == _new_key().access_key_id] == [secret]
    assert len(_held(house)) == 2


def _is(state: str, house: House) -> None:
    """The rotation says so, and of the two keys at least one works."""
    assert Rotation.objects.get().state == state
    assert "Active" in [key.status for key in _held(house)]


SCENARIOS = {
    "start rotation": Scenario(Kind.ROTATION_STARTED, _with_a_key, _start, check=_its_secret_is_sealed),
    "give up rotation": Scenario(
        Kind.ROTATION_GIVEN_UP, _made, partial(_decide, steps.give_up_rotation), check=partial(_is, "given_up")
    ),
    "make old key inactive": Scenario(
        Kind.ACCESS_KEY_DEACTIVATED,
        _proven,
        partial(_decide, steps.make_old_key_inactive),
        check=partial(_is, "deactivated"),
    ),
    "make old key active": Scenario(
        Kind.ACCESS_KEY_ACTIVATED,
        _deactivated,
        partial(_decide, steps.make_old_key_active),
        check=partial(_is, "proven"),
    ),
    "delete old key": Scenario(
        Kind.ACCESS_KEY_DELETED, _deactivated, partial(_decide, steps.delete_old_key), check=partial(_is, "done")
    ),
    "make key inactive": Scenario(
        Kind.ACCESS_KEY_DEACTIVATED, _with_a_key, partial(_change, access_keys.make_key_inactive)
    ),
    "make key active": Scenario(Kind.ACCESS_KEY_ACTIVATED, _inactive, partial(_change, access_keys.make_key_active)),
    "delete access key": Scenario(Kind.ACCESS_KEY_DELETED, _inactive, partial(_change, access_keys.delete_access_key)),
}
