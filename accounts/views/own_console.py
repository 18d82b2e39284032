"""How one signs in to the console oneself: the password's age and use, the MFA devices, what is on its way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access, arns
from accounts.kinds import Kind, in_words
from accounts.models import IAMUser, LoginProfile, MFADevice, MFARegistration, Organization, Person
from accounts.models.facts import Knowledge
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.mfa_devices import DEVICES_PER_USER
from accounts.views import states
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.states import Shown
from portal.ledger.models import Delivery
from portal.secrets import seal
from portal.secrets.models import SealedSecret

OF_SIGNING_IN = (
    Kind.LOGIN_PROFILE_CREATED,
    Kind.LOGIN_PROFILE_RESET,
    Kind.LOGIN_PROFILE_DELETED,
    Kind.MFA_REGISTRATION_STARTED,
    Kind.MFA_REGISTRATION_ENDED,
    Kind.MFA_DEVICE_ENABLED,
    Kind.MFA_DEVICE_RESYNCED,
    Kind.MFA_DEVICE_REMOVED,
)

State = MFARegistration.State


@dataclass(frozen=True)
class Step:
    """What comes next of a new device: a sentence, and where that is done."""

    words: str
    button: str = ""
    address: str = ""
    is_dialog: bool = True
    give_up_address: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class DeviceRow:
    """One MFA device; `words` is what AWS said to the last codes of it, where it took them not."""

    device: MFADevice
    sort: str
    known: Knowledge
    words: str
    resync_address: str
    remove_address: str


@dataclass(frozen=True)
class OwnConsole:
    """All of one IAM user, for `accounts/_own_console.html`."""

    iam_user: IAMUser
    profile: LoginProfile | None
    known: Knowledge | None
    secret_address: str
    password_address: str
    register_address: str
    devices: list[DeviceRow] = field(default_factory=list)
    step: Step | None = None
    on_its_way: list[tuple[str, Shown, str]] = field(default_factory=list)

    @property
    def is_moving(self) -> bool:
        """Whether something of it may arrive at any moment."""
        return any(shown.is_moving for _, shown, _ in self.on_its_way)


class OwnConsoles:
    """Of some IAM users of one owner, in a number of queries that does not grow with them."""

    def __init__(self, *, by: Person, organization: Organization, iam_users: Iterable[IAMUser], at: datetime) -> None:
        """`iam_users` are `with_facts`, of that organization, and the person's own."""
        self._by, self._organization, self._at = by, organization, at
        self._iam_users = list(iam_users)
        self._devices = _by_iam_user(MFADevice.objects.filter(iam_user__in=self._iam_users).order_by("pk"))
        registrations = MFARegistration.objects.filter(iam_user__in=self._iam_users, owner=by).order_by("pk")
        self._registrations = _by_iam_user(registrations)
        self._deliveries = self._open_deliveries()
        self._secrets = self._waiting_secrets()

    def of(self, iam_user: IAMUser) -> OwnConsole:
        """What is known of it."""
        profile = getattr(iam_user, "login_profile", None)
        deliveries = self._deliveries.get(str(iam_user.pk), [])
        busy = {delivery.entry.kind for delivery in deliveries}
        devices = self._devices.get(iam_user.pk, [])
        step = self._step(iam_user)
        may_reset = iam_user.is_in_aws and profile is not None and Kind.LOGIN_PROFILE_RESET not in busy
        may_register = iam_user.is_in_aws and step is None and len(devices) < DEVICES_PER_USER
        return OwnConsole(
            iam_user=iam_user,
            profile=profile,
            known=profile.known_from(iam_user.account) if profile else None,
            secret_address=self._secrets.get((iam_user.pk, Purpose.PASSWORD), ""),
            password_address=_at("reset_own_password", iam_user) if may_reset else "",
            register_address=_at("register_mfa_device", iam_user) if may_register else "",
            devices=[self._row(iam_user, device, deliveries) for device in devices],
            step=step,
            on_its_way=list(self._on_its_way(deliveries)),
        )

    def _row(self, iam_user: IAMUser, device: MFADevice, deliveries: list[Delivery]) -> DeviceRow:
        changing = {one.entry.details.get("serial_number") for one in deliveries}
        is_free = device.serial_number not in changing and iam_user.is_in_aws
        may_resync = is_free and not arns.is_passkey(device.serial_number)
        return DeviceRow(
            device=device,
            sort=sort_of(device),
            known=device.known_from(iam_user.account),
            words=self._refusal(iam_user, device),
            resync_address=reverse("resync_mfa_device", args=[iam_user.pk, device.pk]) if may_resync else "",
            remove_address=reverse("remove_mfa_device", args=[iam_user.pk, device.pk]) if is_free else "",
        )

    def _refusal(self, iam_user: IAMUser, device: MFADevice) -> str:
        """What the last attempt to resynchronize it came to, where that failed."""
        of_it = [one for one in self._registrations.get(iam_user.pk, []) if one.serial_number == device.serial_number]
        return of_it[-1].words if of_it and of_it[-1].state == State.LAPSED else ""

    def _step(self, iam_user: IAMUser) -> Step | None:
        """Of the registration that is open; None where there is none."""
        for registration in self._registrations.get(iam_user.pk, []):
            if registration.state in (State.STARTED, State.CHECKING):
                return Step(f"{registration.get_state_display()}.", refusal=registration.words)
            if registration.state == State.MADE:
                address = self._secrets.get((iam_user.pk, Purpose.MFA_DEVICE), "")
                words = "Your new device is made. Scan its QR code with the app on your phone."
                return Step(words, "Show QR code", address, is_dialog=False, give_up_address=_give_up(iam_user))
            if registration.state == State.SHOWN:
                words = "AWS waits for two codes of your new device."
                address = _at("enable_mfa_device", iam_user)
                return Step(
                    words, "Enter codes", address, give_up_address=_give_up(iam_user), refusal=registration.words
                )
        return None

    def _on_its_way(self, deliveries: list[Delivery]) -> Iterator[tuple[str, Shown, str]]:
        for delivery in deliveries:
            yield in_words(delivery.entry.kind), states.of_delivery(delivery, at=self._at), delivery.error

    def _open_deliveries(self) -> dict[str, list[Delivery]]:
        """By the IAM user's id, oldest first."""
        ids = [str(one.pk) for one in self._iam_users]
        rows = (
            Delivery.objects.of(self._organization)
            .open()
            .filter(entry__subject_type="iam_user", entry__subject_id__in=ids, entry__kind__in=OF_SIGNING_IN)
        )
        found: dict[str, list[Delivery]] = {}
        for delivery in rows.select_related("entry").order_by("sequence", "pk"):
            found.setdefault(delivery.entry.subject_id, []).append(delivery)
        return found

    def _waiting_secrets(self) -> dict[tuple[int, Purpose], str]:
        """Where the person opens what waits for them, by IAM user and purpose."""
        waiting = SealedSecret.objects.of(self._organization).ready().filter(recipient=self._by.pk)
        rows = waiting.filter(expires_at__gt=self._at).defer(*seal.WIPED).order_by("created_at", "pk")
        bonds = [(Bond.of(sealed), sealed) for sealed in rows]
        return {(bond.iam_user_id, bond.purpose): reverse("secret", args=[sealed.pk]) for bond, sealed in bonds}


@require_GET
def page(request: PortalRequest, pk: int) -> HttpResponse:
    """The page."""
    return render(request, "accounts/own_console.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while something is on its way."""
    return render(request, "accounts/_own_console_facts.html", _context(request, pk))


def find_own(request: PortalRequest, pk: int) -> IAMUser:
    """The person's own IAM user; 404 where they do not see it in the organization that they look at, else 403."""
    iam_user = find(request, pk)
    access.require_own(by=request.user, iam_user=iam_user)
    return iam_user


def find(request: PortalRequest, pk: int) -> IAMUser:
    """The IAM user, if the person sees it in the organization that they are looking at; else 404."""
    rows = IAMUser.objects.visible_to(request.user).in_organization(organization_of(request)).present()
    return get_object_or_404(rows.with_facts(), pk=pk)


def page_of(iam_user: IAMUser) -> str:
    """Its page's address."""
    return _at("own_console", iam_user)


def sort_of(device: MFADevice) -> str:
    """What sort of device it is, by its serial number (IAM User Guide, "AWS multi-factor authentication in IAM")."""
    if arns.is_virtual_mfa_device(device.serial_number):
        return "Authenticator app"
    return "Passkey or security key" if arns.is_passkey(device.serial_number) else "Hardware device"


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    iam_user, now = find_own(request, pk), timezone.now()
    consoles = OwnConsoles(by=request.user, organization=organization_of(request), iam_users=[iam_user], at=now)
    return {"iam_user": iam_user, "own_console": consoles.of(iam_user)}


def _by_iam_user(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.iam_user_id, []).append(row)
    return found


def _give_up(iam_user: IAMUser) -> str:
    return _at("give_up_mfa_device", iam_user)


def _at(name: str, iam_user: IAMUser) -> str:
    return reverse(name, args=[iam_user.pk])
