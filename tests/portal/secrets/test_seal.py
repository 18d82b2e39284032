"""A secret is opened once, by one person, in time, and then it is nowhere."""

import base64
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from accounts.models import Organization, Person
from portal.secrets.keys import UnknownKeyVersion, Unreadable
from portal.secrets.models import SealedSecret
from portal.secrets.seal import AlreadyOpened, Expired, NotYours, expire, expire_all, open_once, rewrap, withdraw
from portal.secrets.secret import Secret

SealFor = Callable[..., SealedSecret]

OLD, NEW = ("v1", b"1" * 32), ("v2", b"2" * 32)


def contents(sealed: SealedSecret) -> tuple[object, object, object]:
    sealed.refresh_from_db()
    return sealed.ciphertext, sealed.nonce, sealed.wrapped_key


@pytest.mark.django_db
def test_its_recipient_opens_it(seal_for: SealFor, person: Person, at: datetime, canary: str) -> None:
    sealed = seal_for()

    secret = open_once(secret_id=sealed.pk, by=person, at=at)

    assert secret.reveal() == canary
    assert contents(sealed) == (None, None, None)
    assert (sealed.state, sealed.opened_at) == ("opened", at)


@pytest.mark.django_db
def test_it_opens_once(seal_for: SealFor, person: Person, at: datetime) -> None:
    sealed = seal_for()
    open_once(secret_id=sealed.pk, by=person, at=at)

    with pytest.raises(AlreadyOpened):
        open_once(secret_id=sealed.pk, by=person, at=at)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_requests_at_the_same_moment_one_gets_it(
    seal_for: SealFor, person: Person, at: datetime, canary: str
) -> None:
    sealed = seal_for()
    barrier = Barrier(50)

    def open_it(_: int) -> str:
        barrier.wait(timeout=20)
        try:
            return open_once(secret_id=sealed.pk, by=person, at=at).reveal()
        except AlreadyOpened:
            return "too late"
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(open_it, range(50)))

    assert sorted(results) == [canary] + ["too late"] * 49


@pytest.mark.django_db
def test_nobody_else_opens_it_or_learns_that_it_is_there(
    seal_for: SealFor, another_person: Person, at: datetime
) -> None:
    sealed = seal_for()

    with pytest.raises(NotYours) as others:
        open_once(secret_id=sealed.pk, by=another_person, at=at)
    with pytest.raises(NotYours) as nobodys:
        open_once(secret_id=uuid.uuid4(), by=another_person, at=at)

    assert str(others.value) == str(nobodys.value)
    assert None not in contents(sealed)


@pytest.mark.django_db
def test_it_does_not_open_when_its_time_is_over(seal_for: SealFor, person: Person, at: datetime) -> None:
    sealed = seal_for()

    with pytest.raises(Expired):
        open_once(secret_id=sealed.pk, by=person, at=at + timedelta(minutes=15))


@pytest.mark.django_db
def test_expiry_wipes_what_was_not_opened_and_names_it(seal_for: SealFor, person: Person, at: datetime) -> None:
    overdue, longer, opened = seal_for(), seal_for(expires_at=at + timedelta(hours=1)), seal_for()
    open_once(secret_id=opened.pk, by=person, at=at)

    assert expire(at=at + timedelta(minutes=15)) == [overdue]

    assert contents(overdue) == (None, None, None)
    assert None not in contents(longer)
    assert {overdue.state, longer.state} == {"expired", "ready"}
    opened.refresh_from_db()
    assert opened.state == "opened"
    with pytest.raises(Expired):
        open_once(secret_id=overdue.pk, by=person, at=at)
    assert expire(at=at + timedelta(minutes=15)) == []


@pytest.mark.django_db
def test_one_that_has_lost_its_meaning_is_withdrawn_alone(seal_for: SealFor, person: Person, at: datetime) -> None:
    lost, other, opened = seal_for(), seal_for(), seal_for()
    open_once(secret_id=opened.pk, by=person, at=at)

    assert withdraw(SealedSecret.objects.filter(pk__in=[lost.pk, opened.pk])) == [lost]

    assert contents(lost) == (None, None, None)
    assert None not in contents(other)
    opened.refresh_from_db()
    assert opened.state == "opened"


@pytest.mark.django_db
def test_after_a_restore_nothing_opens_any_more(seal_for: SealFor, person: Person, at: datetime) -> None:
    sealed = seal_for()

    assert expire_all() == [sealed]

    with pytest.raises(Expired):
        open_once(secret_id=sealed.pk, by=person, at=at)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_not_opened(seal_for: SealFor, person: Person, at: datetime, canary: str) -> None:
    sealed = seal_for()

    with pytest.raises(RuntimeError), transaction.atomic():
        open_once(secret_id=sealed.pk, by=person, at=at)
        raise RuntimeError

    assert open_once(secret_id=sealed.pk, by=person, at=at).reveal() == canary


@pytest.mark.django_db
@pytest.mark.parametrize("is_all_moved", [True, False])
def test_contents_moved_to_another_row_do_not_open(
    seal_for: SealFor, person: Person, another_person: Person, at: datetime, is_all_moved: bool
) -> None:
    hugos, mias = seal_for(recipient=another_person, secret=Secret("Hugo's")), seal_for()
    moved = {"ciphertext": hugos.ciphertext, "nonce": hugos.nonce}
    if is_all_moved:
        moved["wrapped_key"] = hugos.wrapped_key
    SealedSecret.objects.filter(pk=mias.pk).update(**moved)

    with pytest.raises(Unreadable):
        open_once(secret_id=mias.pk, by=person, at=at)

    assert None not in contents(mias)


@pytest.mark.django_db
def test_contents_copied_to_a_row_alike_do_not_open(seal_for: SealFor, person: Person, at: datetime) -> None:
    first, second = seal_for(), seal_for()
    copied = {name: getattr(first, name) for name in ("ciphertext", "nonce", "wrapped_key")}
    SealedSecret.objects.filter(pk=second.pk).update(**copied)

    with pytest.raises(Unreadable):
        open_once(secret_id=second.pk, by=person, at=at)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["organization", "recipient", "purpose", "bound_to"])
def test_a_row_that_was_rewritten_does_not_open(
    seal_for: SealFor, person: Person, another_person: Person, at: datetime, field: str
) -> None:
    values = {
        "organization": Organization.objects.create(name="Globex", slug="globex"),
        "recipient": another_person,
        "purpose": "password",
        "bound_to": "AKIAANOTHER",
    }
    sealed = seal_for()
    SealedSecret.objects.filter(pk=sealed.pk).delete()
    setattr(sealed, field, values[field])
    sealed.save(force_insert=True)

    with pytest.raises(Unreadable):
        open_once(secret_id=sealed.pk, by=another_person if field == "recipient" else person, at=at)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["ciphertext", "nonce", "wrapped_key"])
def test_a_flipped_bit_does_not_open(seal_for: SealFor, person: Person, at: datetime, field: str) -> None:
    sealed = seal_for()
    stored = bytes(getattr(sealed, field))
    SealedSecret.objects.update(**{field: bytes([stored[0] ^ 1]) + stored[1:]})

    with pytest.raises(Unreadable):
        open_once(secret_id=sealed.pk, by=person, at=at)


@pytest.mark.django_db
def test_an_older_key_still_opens(
    seal_for: SealFor, person: Person, at: datetime, canary: str, settings: Settings
) -> None:
    settings.SEALING_KEYS = [OLD]
    sealed = seal_for()

    settings.SEALING_KEYS = [NEW, OLD]

    assert sealed.key_version == "v1"
    assert seal_for().key_version == "v2"
    assert open_once(secret_id=sealed.pk, by=person, at=at).reveal() == canary


@pytest.mark.django_db
def test_once_rewrapped_the_older_key_may_go(
    seal_for: SealFor, person: Person, at: datetime, canary: str, settings: Settings
) -> None:
    settings.SEALING_KEYS = [OLD]
    sealed, opened = seal_for(), seal_for()
    open_once(secret_id=opened.pk, by=person, at=at)
    settings.SEALING_KEYS = [NEW, OLD]

    assert rewrap() == 1
    assert rewrap() == 0

    settings.SEALING_KEYS = [NEW]
    assert open_once(secret_id=sealed.pk, by=person, at=at).reveal() == canary
    assert contents(opened) == (None, None, None)


@pytest.mark.django_db
def test_a_key_that_is_gone_is_named_and_nothing_is_wiped(
    seal_for: SealFor, person: Person, at: datetime, settings: Settings
) -> None:
    settings.SEALING_KEYS = [OLD]
    sealed = seal_for()
    settings.SEALING_KEYS = [NEW]

    with pytest.raises(UnknownKeyVersion, match="v1"):
        open_once(secret_id=sealed.pk, by=person, at=at)

    assert None not in contents(sealed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"ciphertext": None},
        {"wrapped_key": None},
        {"state": "expired"},
        {"state": "opened"},
        {"expires_at": datetime.fromisoformat("2026-11-23T12:00:00+00:00")},
    ],
)
def test_the_database_refuses_rows_that_contradict_themselves(seal_for: SealFor, facts: dict[str, object]) -> None:
    seal_for()

    with pytest.raises(IntegrityError), transaction.atomic():
        SealedSecret.objects.update(**facts)


@pytest.mark.django_db
def test_two_secrets_alike_are_not_seen_to_be_alike(seal_for: SealFor) -> None:
    first, second = seal_for(), seal_for()

    assert len({bytes(one.ciphertext or b"") for one in (first, second)}) == 2
    assert len({bytes(one.wrapped_key or b"") for one in (first, second)}) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("sqlite")
def test_the_databases_files_never_hold_it(seal_for: SealFor, person: Person, at: datetime, canary: str) -> None:
    sealed = seal_for()
    open_once(secret_id=sealed.pk, by=person, at=at)
    kept = seal_for(bound_to="AKIATHISISFOUNDHERE")

    database = Path(connection.settings_dict["NAME"])
    files = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))

    assert kept.bound_to.encode() in files
    for form in (canary.encode(), canary.encode().hex().encode(), base64.b64encode(canary.encode())):
        assert form not in files
