"""Remove an MFA device of an IAM user: its owner, or for a lost phone whoever looks after it, and why."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed
from accounts.limits import OutsideEnvelope
from accounts.models import Duty, IAMGroup, IAMUser, MFADevice, Organization, Person
from accounts.usecases import mfa_devices
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def mias(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """An IAM user that a person assigned to Mia."""
    ledger_writer.owner, ledger_writer.owner_said_by = mia, IAMUser.SaidBy.HAND
    ledger_writer.save()
    return ledger_writer


@pytest.fixture
def phone(mias: IAMUser) -> MFADevice:
    """Her MFA device."""
    return factories.mfa_device(mias)


def test_a_lead_removes_the_device_of_a_lost_phone(lena: Person, phone: MFADevice) -> None:
    mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=AT)

    entry = Entry.objects.get()
    assert (entry.reason, entry.details["serial_number"]) == ("Lost phone", phone.serial_number)


@pytest.mark.parametrize("who", ["mia", "lena"])
def test_it_takes_a_reason(request: pytest.FixtureRequest, leaves_nothing: Block, phone: MFADevice, who: str) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(ValidationError, match="Say why"):
        mfa_devices.remove_device(by=somebody, mfa_device=phone, reason=" ", at=AT)


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_only_looks_removes_nothing(
    request: pytest.FixtureRequest, leaves_nothing: Block, phone: MFADevice, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        mfa_devices.remove_device(by=somebody, mfa_device=phone, reason="Lost phone", at=AT)


def test_a_lead_takes_no_second_factor_off_what_can_do_more(
    lena: Person, leaves_nothing: Block, mias: IAMUser, phone: MFADevice, administrators: IAMGroup
) -> None:
    factories.group_membership(mias, administrators)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=AT)


@pytest.mark.parametrize("duty", [Duty.OWNER, Duty.ADMIN, Duty.HELPDESK, Duty.AUDITOR])
def test_a_lead_takes_no_second_factor_off_somebody_of_higher_duty(
    acme: Organization, lena: Person, mia: Person, leaves_nothing: Block, phone: MFADevice, duty: Duty
) -> None:
    factories.membership(mia, duty, of=acme)

    with leaves_nothing(ValidationError, match="has a duty beyond your team"):
        mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=AT)


def test_it_is_removed_once(mia: Person, lena: Person, leaves_nothing: Block, phone: MFADevice) -> None:
    mfa_devices.remove_device(by=mia, mfa_device=phone, reason="Lost phone", at=AT)
    with leaves_nothing(ValidationError, match="being removed already"):
        mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=AT)

    MFADevice.objects.all().delete()
    with leaves_nothing(ValidationError, match="removed already"):
        mfa_devices.remove_device(by=lena, mfa_device=phone, reason="Lost phone", at=AT)
