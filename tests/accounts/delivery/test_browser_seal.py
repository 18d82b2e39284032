"""A key that its owner asks for in a browser: the portal keeps what that browser alone can read."""

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Duty, IAMUser, Person, Rotation, Team
from accounts.usecases.first_keys import create_access_key
from accounts.usecases.rotation import start_rotation
from accounts.usecases.sealed_secrets import open_sealed_secret
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets import keys, seal
from portal.secrets.browser import bound
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.portal.secrets.browsers import Browser

NAME = "ledger-writer"


@pytest.fixture
def nora(prod: Account) -> Person:
    """An admin, who has an IAM user of her own."""
    return factories.member("nora@acme.test", Duty.ADMIN, of=prod.organization)


@pytest.fixture
def noras(aws: AWS, prod: Account, payments: Team, nora: Person) -> IAMUser:
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    age(aws, prod, NAME)
    user = outside.get_user(UserName=NAME)["User"]
    return factories.iam_user(
        prod, NAME, team=payments, owner=nora, user_id=user["UserId"], create_date=user["CreateDate"]
    )


@pytest.fixture
def browser() -> Browser:
    return Browser()


def held_by(aws: AWS, iam_user: IAMUser) -> list[str]:
    """The secrets of its keys, oldest first."""
    found: Any = aws.backend(iam_user.account.account_id).users[NAME].access_keys
    return [key.secret_access_key for key in found]


def plaintext_of(sealed: SealedSecret) -> str:
    """All that the portal could make of the row, with its keys and its database."""
    return seal._unseal(sealed).reveal()


def test_the_portal_cannot_read_what_it_keeps_and_the_browser_can(
    aws: AWS, nora: Person, noras: IAMUser, browser: Browser
) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=browser.public)

    assert deliver_until_quiet().state == Delivery.State.DONE
    sealed, [secret] = SealedSecret.objects.get(), held_by(aws, noras)
    assert (sealed.browser_key, sealed.carried_by) == (browser.public, str(Delivery.objects.get().pk))
    assert secret not in plaintext_of(sealed)
    told = open_sealed_secret(by=nora, secret_id=sealed.pk, at=database_now()).reveal()
    assert browser.open(told, bound(sealed)) == secret


def test_a_rotation_is_sealed_so_too(aws: AWS, nora: Person, noras: IAMUser, browser: Browser) -> None:
    made = aws.boto3(noras.account.account_id).create_access_key(UserName=NAME)["AccessKey"]
    old_key = factories.access_key(noras, access_key_id=made["AccessKeyId"])
    start_rotation(by=nora, access_key=old_key, at=database_now(), browser_key=browser.public)

    deliver_until_quiet()

    sealed = SealedSecret.objects.get()
    told = open_sealed_secret(by=nora, secret_id=sealed.pk, at=database_now()).reveal()
    assert browser.open(told, bound(sealed)) == held_by(aws, noras)[-1]
    assert Rotation.objects.get().state == "delivered"


def test_without_a_browsers_key_it_is_sealed_by_the_portal_alone(aws: AWS, nora: Person, noras: IAMUser) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now())
    deliver_until_quiet()

    sealed = SealedSecret.objects.get()
    assert (sealed.browser_key, "browser_key" in Entry.objects.get().details) == ("", False)
    assert plaintext_of(sealed) == held_by(aws, noras)[0]


@pytest.mark.parametrize("field", ["carried_by", "purpose", "bound_to"])
def test_the_browser_refuses_what_was_moved(nora: Person, noras: IAMUser, browser: Browser, field: str) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=browser.public)
    deliver_until_quiet()
    sealed = SealedSecret.objects.get()
    told = plaintext_of(sealed)
    setattr(sealed, field, "of another")

    with pytest.raises(InvalidTag):
        browser.open(told, bound(sealed))


@pytest.mark.parametrize("field", ["browser_key", "carried_by"])
def test_the_portal_refuses_what_was_rewritten(nora: Person, noras: IAMUser, browser: Browser, field: str) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=browser.public)
    deliver_until_quiet()
    SealedSecret.objects.update(**{field: Browser().public[:20] if field == "carried_by" else Browser().public})

    with pytest.raises(keys.Unreadable):
        open_sealed_secret(by=nora, secret_id=SealedSecret.objects.get().pk, at=database_now())
    assert SealedSecret.objects.get().state == "ready"


@pytest.mark.parametrize("bad", ["x", "B" * 87, "A" * 87, '"><script>', "é" * 87])
def test_what_is_no_key_leaves_nothing(nora: Person, noras: IAMUser, bad: str) -> None:
    with pytest.raises(ValidationError, match="no key"):
        create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=bad)
    assert not Entry.objects.exists()


def test_a_browser_of_somebody_else_is_refused(nora: Person, noras: IAMUser, olive: Person, browser: Browser) -> None:
    with pytest.raises(ValidationError, match="sealed for Nora"):
        create_access_key(by=olive, iam_user=noras, at=database_now(), browser_key=browser.public)
    old_key = factories.access_key(noras)
    with pytest.raises(ValidationError, match="sealed for Nora"):
        start_rotation(by=olive, access_key=old_key, at=database_now(), browser_key=browser.public)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER])
def test_after_a_lost_answer_the_second_key_is_sealed_so(
    aws: AWS, nora: Person, noras: IAMUser, browser: Browser, fault: Fault
) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=browser.public)
    aws.faults.inject("CreateAccessKey", fault)

    assert deliver_until_quiet().state == Delivery.State.DONE
    sealed, [secret] = SealedSecret.objects.get(), held_by(aws, noras)
    told = open_sealed_secret(by=nora, secret_id=sealed.pk, at=database_now()).reveal()
    assert browser.open(told, bound(sealed)) == secret


def test_the_dialog_asks_for_the_browsers_key_of_the_owner_alone(
    nora: Person, olive: Person, noras: IAMUser, browser: Browser
) -> None:
    address = reverse("create_access_key", args=[noras.pk])
    own, other = Client(), Client()
    own.force_login(nora)
    other.force_login(olive)

    assert 'name="browser_key"' in own.get(address).content.decode()
    assert 'name="browser_key"' not in other.get(address).content.decode()
    own.post(address, {"reason": "", "browser_key": browser.public})
    assert Entry.objects.get().details["browser_key"] == browser.public


def test_the_page_hands_on_what_the_browser_needs(nora: Person, noras: IAMUser, browser: Browser) -> None:
    create_access_key(by=nora, iam_user=noras, at=database_now(), browser_key=browser.public)
    deliver_until_quiet()
    sealed, client = SealedSecret.objects.get(), Client()
    client.force_login(nora)

    page = client.get(reverse("secret", args=[sealed.pk])).content.decode()
    told = client.post(reverse("open_secret", args=[sealed.pk])).json()

    assert f'data-browser-key="{browser.public}"' in page
    assert json.dumps(bound(sealed))[1:-1].replace('\\"', "&quot;") in page
    assert set(told) == {"sealed"}
    assert browser.open(json.dumps(told["sealed"]), bound(sealed)).encode() not in base64.b64encode(page.encode())
