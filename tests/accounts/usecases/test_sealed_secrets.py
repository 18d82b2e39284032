"""Opening a sealed secret, once, by its recipient; and what becomes of those that nobody opened."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import tasks
from accounts.access import NotThere
from accounts.models import IAMUser, Membership, Organization, Person
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.sealed_secrets import expire_sealed_secrets, open_sealed_secret
from portal.ledger.models import Delivery, Entry
from portal.secrets import keys, seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret
from tests import factories

AT = timezone.now()
TIMES = 50
KEY_ID = "AKIALEDGERWRITER0001"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def sealed_for(iam_user: IAMUser, recipient: Person, purpose: Purpose = Purpose.ACCESS_KEY) -> SealedSecret:
    bond = Bond(purpose, iam_user.pk, KEY_ID)
    return seal.seal(
        organization=iam_user.organization, recipient=recipient, purpose=purpose, bound_to=str(bond),
        secret=Secret("wJalrXUtnFEMI"), at=AT, expires_at=AT + timedelta(hours=24),
    )  # fmt: skip


@pytest.fixture
def sealed(ledger_writer: IAMUser, mia: Person) -> SealedSecret:
    """The secret of a key of the IAM user, for Mia."""
    factories.access_key(ledger_writer, access_key_id=KEY_ID)
    return sealed_for(ledger_writer, mia)


def test_the_recipient_opens_it_and_the_ledger_says_so(
    mia: Person, ledger_writer: IAMUser, sealed: SealedSecret
) -> None:
    assert open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT).reveal() == "wJalrXUtnFEMI"

    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.subject_name) == ("accounts.secret.opened", str(mia.pk), ledger_writer.arn)
    assert entry.details == {
        "sealed": str(sealed.pk),
        "purpose": "Access key",
        "recipient": "mia@acme.test",
        "access_key_id": KEY_ID,
    }
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("who", ["olive", "lena", "hugo", "ada", "oskar"])
def test_for_everybody_else_it_does_not_exist(
    request: pytest.FixtureRequest, leaves_nothing: Block, sealed: SealedSecret, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotThere):
        open_sealed_secret(by=somebody, secret_id=sealed.pk, at=AT)
    assert SealedSecret.objects.get().state == "ready"


def test_one_that_is_not_there_does_not_exist_either(mia: Person, leaves_nothing: Block) -> None:
    with leaves_nothing(NotThere):
        open_sealed_secret(by=mia, secret_id=uuid.uuid4(), at=AT)


@pytest.mark.parametrize("ending", ["left", "disabled"])
def test_who_has_gone_opens_nothing(
    mia: Person, globex: Organization, leaves_nothing: Block, sealed: SealedSecret, ending: str
) -> None:
    if ending == "left":
        Membership.objects.update(ended_at=AT)
    else:
        Person.objects.filter(pk=mia.pk).update(is_active=False)

    with leaves_nothing(NotThere):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)


def test_a_duty_elsewhere_opens_nothing_here(
    mia: Person, oskar: Person, globex: Organization, leaves_nothing: Block, sealed: SealedSecret
) -> None:
    Membership.objects.filter(person=mia).update(ended_at=AT)
    factories.membership(mia, "owner", of=globex)  # type: ignore[arg-type]

    with leaves_nothing(NotThere):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)


def test_the_second_time_it_is_gone_and_the_ledger_says_that_somebody_asked(mia: Person, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    with pytest.raises(seal.AlreadyOpened, match="If it was not you"):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    assert [entry.kind for entry in Entry.objects.order_by("sequence")] == [
        "accounts.secret.opened",
        "accounts.secret.asked_again",
    ]


def test_after_its_time_it_is_not_opened(mia: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    with leaves_nothing(seal.Expired):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT + timedelta(hours=24))


def test_what_was_moved_to_another_row_does_not_open_and_stays(
    mia: Person, leaves_nothing: Block, ledger_writer: IAMUser, sealed: SealedSecret
) -> None:
    SealedSecret.objects.update(bound_to=str(Bond(Purpose.PASSWORD, ledger_writer.pk, "1")))

    with leaves_nothing(keys.Unreadable):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)
    assert SealedSecret.objects.get().state == "ready"


def test_no_entry_no_secret(mia: Person, sealed: SealedSecret, monkeypatch: pytest.MonkeyPatch) -> None:
    """F24: where the ledger cannot say it, nothing is opened."""

    class Broken(Exception):
        pass

    def fail(**kwargs: object) -> None:
        raise Broken

    monkeypatch.setattr("accounts.usecases.sealed_secrets.record", fail)
    with pytest.raises(Broken):
        open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    assert SealedSecret.objects.get().state == "ready"
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_one_opens_it(mia: Person, sealed: SealedSecret) -> None:
    start = threading.Barrier(TIMES)

    def ask(_: int) -> str:
        start.wait()
        try:
            return open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT).reveal()
        except seal.AlreadyOpened:
            return "gone"
        finally:
            connection.close()

    with ThreadPoolExecutor(TIMES) as crowd:
        told = list(crowd.map(ask, range(TIMES)))

    assert (told.count("wJalrXUtnFEMI"), told.count("gone")) == (1, TIMES - 1)
    assert Entry.objects.filter(kind="accounts.secret.opened").count() == 1


# Not opened in time


def test_a_key_that_nobody_opened_is_to_be_deleted(ledger_writer: IAMUser, sealed: SealedSecret) -> None:
    late = AT + timedelta(hours=24)

    assert expire_sealed_secrets(by=None, at=late) == [sealed]

    entry, delivery = Entry.objects.get(), Delivery.objects.get()
    assert (entry.kind, entry.by_id, entry.by_name) == ("accounts.secret.expired", "", "Gatehouse")
    assert entry.details["access_key_id"] == KEY_ID
    assert (delivery.entry, delivery.subject) == (entry, ledger_writer.arn)
    assert SealedSecret.objects.get().state == "expired"
    assert expire_sealed_secrets(by=None, at=late) == []
    assert Entry.objects.count() == 1


def test_a_password_that_nobody_opened_is_only_told(ledger_writer: IAMUser, mia: Person) -> None:
    sealed_for(ledger_writer, mia, Purpose.PASSWORD)

    expire_sealed_secrets(by=None, at=AT + timedelta(hours=24))

    assert Entry.objects.get().kind == "accounts.secret.expired"
    assert not Delivery.objects.exists()


def test_of_what_is_gone_nothing_is_deleted(ledger_writer: IAMUser, sealed: SealedSecret) -> None:
    IAMUser.objects.update(gone_at=AT)

    expire_sealed_secrets(by=None, at=AT + timedelta(hours=24))

    assert Entry.objects.exists()
    assert not Delivery.objects.exists()


def test_what_still_has_time_or_was_opened_stays(mia: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    assert expire_sealed_secrets(by=None, at=AT + timedelta(hours=23)) == []
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    assert expire_sealed_secrets(by=None, at=AT + timedelta(days=9)) == []
    assert Entry.objects.get().kind == "accounts.secret.opened"


def test_no_person_expires_secrets(olive: Person, leaves_nothing: Block, sealed: SealedSecret) -> None:
    with leaves_nothing(NotThere):
        expire_sealed_secrets(by=olive, at=AT + timedelta(days=9))


def test_beat_has_it_done(sealed: SealedSecret, settings: Any) -> None:
    SealedSecret.objects.update(created_at=AT - timedelta(days=2), expires_at=AT - timedelta(days=1))
    names = [each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()]

    tasks.expire_sealed_secrets(told_by="a later release")

    assert tasks.expire_sealed_secrets.name in names
    assert Entry.objects.get().kind == "accounts.secret.expired"
