"""`manage.py expire_secrets`: a restored backup opens nothing again, and changes nothing in AWS (F27)."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.access import NotThere
from accounts.models import IAMUser, Person, Rotation
from accounts.models.sealed import Purpose
from accounts.usecases.sealed_secrets import expire_after_restore, expire_sealed_secrets, open_sealed_secret
from portal.ledger.models import Delivery, Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.factories import SECRET

KEY_ID = "AKIALEDGERWRITER0001"


@pytest.fixture
def sealed(ledger_writer: IAMUser, mia: Person) -> SealedSecret:
    """The secret of the new key of a rotation, for Mia."""
    IAMUser.objects.update(owner=mia)
    ledger_writer.refresh_from_db()
    new_key = factories.access_key(ledger_writer, access_key_id=KEY_ID)
    factories.rotation(factories.access_key(ledger_writer), new_key=new_key, state="made", made_at=timezone.now())
    return factories.sealed_secret(ledger_writer, Purpose.ACCESS_KEY, id=KEY_ID)


def said() -> str:
    out = StringIO()
    call_command("expire_secrets", stdout=out)
    return out.getvalue()


def copied(source: Path, target: Path) -> None:
    """A backup as SQLite makes it, of a database that is in use."""
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("is_run", [True, False])
def test_what_was_opened_since_the_backup_does_not_open_again(
    mia: Person, sealed: SealedSecret, tmp_path: Path, is_run: bool
) -> None:
    """Without the command it would."""
    database, backup = Path(connection.settings_dict["NAME"]), tmp_path / "backup.sqlite3"
    copied(database, backup)
    assert open_sealed_secret(by=mia, secret_id=sealed.pk, at=timezone.now()).reveal() == SECRET
    connection.close()
    copied(backup, database)
    assert SealedSecret.objects.get().state == "ready"

    if is_run:
        assert said() == "1 secret wiped. No key was changed.\n"
        with pytest.raises(seal.Expired):
            open_sealed_secret(by=mia, secret_id=sealed.pk, at=timezone.now())
    else:
        assert open_sealed_secret(by=mia, secret_id=sealed.pk, at=timezone.now()).reveal() == SECRET


def test_the_ledger_says_so_and_aws_is_left_alone(sealed: SealedSecret) -> None:
    said()

    entry = Entry.objects.get()
    assert (entry.kind, entry.details["after_restore"]) == ("accounts.secret.expired", True)
    assert expire_sealed_secrets(by=None, at=timezone.now() + timedelta(days=9)) == []
    assert not Delivery.objects.exists()


def test_a_rotation_goes_on_as_if_it_was_opened(sealed: SealedSecret) -> None:
    said()

    assert Rotation.objects.get().state == "delivered"


def test_where_nothing_waits_it_says_so(db: None) -> None:
    assert said() == "0 secrets wiped. No key was changed.\n"


def test_no_person_does_this(olive: Person, sealed: SealedSecret) -> None:
    with pytest.raises(NotThere):
        expire_after_restore(by=olive, at=timezone.now())
    assert SealedSecret.objects.get().state == "ready"
