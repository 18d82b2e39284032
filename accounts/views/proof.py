"""What is left of somebody who was offboarded: each fact with its source and time, each step, and what is not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Q
from django.template.defaultfilters import pluralize

from accounts.delivery.held import QUIET_TIME
from accounts.kinds import in_words
from accounts.models import (
    AccessKey,
    Account,
    AccountImport,
    IAMUser,
    LoginProfile,
    OffboardedIAMUser,
    Offboarding,
    Person,
)
from accounts.models.facts import Knowledge
from accounts.models.offboarding import OffboardedIAMUserQuerySet
from accounts.policy.denial import DENY_ALL, POLICY_NAME
from accounts.views import states
from accounts.views.states import Shown
from portal.ledger.models import Delivery, Entry

State = Offboarding.State
ENTERED = (Account.State.CONNECTED,)
QUIET_MINUTES = QUIET_TIME // timedelta(minutes=1)


@dataclass(frozen=True)
class Fact:
    """What AWS holds, as it was last read; `is_left` where it should not be so any more."""

    words: str
    value: str
    known: Knowledge
    is_left: bool = False


@dataclass(frozen=True)
class Step:
    """One decision about an IAM user, and how far it is on its way to AWS."""

    entry: Entry
    delivery: Delivery | None
    shown: Shown

    @property
    def words(self) -> str:
        """What was decided."""
        return in_words(self.entry.kind)

    @property
    def has_arrived(self) -> bool:
        """Whether AWS has done it."""
        return self.delivery is not None and self.delivery.state == Delivery.State.DONE


@dataclass(frozen=True)
class Holding:
    """One IAM user of theirs."""

    row: OffboardedIAMUser
    facts: list[Fact]
    steps: list[Step]
    known: Knowledge
    left: list[str]

    @property
    def iam_user(self) -> IAMUser:
        """What it is about."""
        return self.row.iam_user

    @property
    def title(self) -> str:
        """Its name and where it is."""
        return f"{self.iam_user} in {self.iam_user.account.name}"

    @property
    def shown(self) -> Shown:
        """The last step's state, or that it is gone."""
        if self.iam_user.gone_at is not None:
            return Shown("Not in AWS any more", "ok")
        last = self.steps[-1].shown
        return Shown("Disabled", "waiting") if last.words == "Delivered" and self._is_disabled else last

    @property
    def is_moving(self) -> bool:
        """Whether a step may go on by itself."""
        return any(step.shown.is_moving for step in self.steps)

    @property
    def _is_disabled(self) -> bool:
        return self.row.enabled is None and self.row.deleted is None


@dataclass(frozen=True)
class Application:
    """An IAM user of an application that they owned, with the active keys that they may know."""

    row: OffboardedIAMUser
    keys: list[AccessKey]
    needs_owner: bool


@dataclass(frozen=True)
class Reading:
    """One account, and whether it was read since the last of theirs there went."""

    account: Account
    shown: Shown
    is_read_since: bool


class Proof:
    """All of it, as one person may see it at one time."""

    def __init__(self, offboarding: Offboarding, *, by: Person, at: datetime) -> None:
        self.offboarding, self.at, self._by = offboarding, at, by

    @cached_property
    def holdings(self) -> list[Holding]:
        """Their own IAM users, by account."""
        rows = self._seen().theirs().prefetch_related(
            "iam_user__access_keys", "iam_user__mfa_devices", "iam_user__iam_credentials",
            "iam_user__group_memberships__iam_group",
        )  # fmt: skip
        rows = rows.select_related("iam_user__login_profile")
        return [_holding(row, self.at) for row in rows.order_by("iam_user__account__name", "iam_user__user_name", "pk")]

    @cached_property
    def applications(self) -> list[Application]:
        """What they owned for applications."""
        rows = self._seen().applications().filter(iam_user__gone_at=None).prefetch_related("iam_user__access_keys")
        return [self._application(row) for row in rows.order_by("iam_user__account__name", "iam_user__user_name")]

    @cached_property
    def readings(self) -> list[Reading]:
        """Every account of the organization that the person sees: only there can something of theirs be."""
        rows = Account.objects.visible_to(self._by).filter(organization=self.offboarding.organization)
        return [Reading(row, states.of_account(row), self._is_read_since(row)) for row in rows.order_by("name", "pk")]

    @cached_property
    def left(self) -> list[str]:
        """What is not done, in sentences."""
        found = [sentence for holding in self.holdings for sentence in holding.left]
        if self.offboarding.state == State.UNDONE:
            return [*found, *self._passwords()]
        return [*found, *self._of_accounts(), *self._of_applications(), *self._found_later(), *self._unseen()]

    @cached_property
    def verdict(self) -> Shown:
        """What the whole of it says; that nothing is left only where every account was read since."""
        state = self.offboarding.state
        if self.left:
            return Shown(f"Not done: {len(self.left)}", "danger")
        if state == State.UNDONE:
            return Shown("Undone: what was active works again", "neutral")
        if state == State.STARTED:
            return Shown("Nothing of theirs works any more", "waiting")
        return Shown("Nothing of theirs is left", "ok")

    @property
    def is_moving(self) -> bool:
        """Whether something may still change by itself."""
        return any(holding.is_moving for holding in self.holdings)

    @property
    def is_being_read(self) -> bool:
        """Whether a reading that the proof waits for is going on."""
        of_theirs = Q(iam_user__in=[holding.iam_user.pk for holding in self.holdings])
        whole = Q(iam_user=None, account__in=[reading.account.pk for reading in self.readings])
        return AccountImport.objects.open().filter(of_theirs | whole).exists()

    def _seen(self) -> OffboardedIAMUserQuerySet:
        return self.offboarding.iam_users.visible_to(self._by).with_steps()

    def _application(self, row: OffboardedIAMUser) -> Application:
        iam_user = row.iam_user
        keys = [key for key in iam_user.access_keys.all() if key.gone_at is None and key.status == "Active"]
        is_leaving = self.offboarding.state != State.UNDONE
        is_theirs = iam_user.owner_id in (None, self.offboarding.person_id)
        return Application(row, keys, needs_owner=is_leaving and is_theirs)

    @cached_property
    def _went_at(self) -> datetime | None:
        """When the last of theirs went; where none was there, when that was decided."""
        if self.offboarding.state not in (State.DELETING, State.CONCLUDED):
            return None
        gone = [holding.iam_user.gone_at for holding in self.holdings if holding.iam_user.gone_at]
        return max(gone, default=self.offboarding.deletion_decided_at)

    def _is_read_since(self, account: Account) -> bool:
        return self._went_at is None or _shows(account, self._went_at)

    def _of_accounts(self) -> Iterator[str]:
        for reading in self.readings:
            account = reading.account
            if account.state not in ENTERED:
                since = f"since {_clock(account.read_at)}" if account.read_at else "yet"
                words = reading.shown.words.lower()
                yield f"{account}: {words}. What AWS holds there was not read {since}."
            elif not reading.is_read_since:
                since = f"not read since the last of theirs went and {QUIET_MINUTES} minutes passed"
                yield f"{account}: {since}. Read it again: before that AWS may show what was."

    def _of_applications(self) -> Iterator[str]:
        for application in self.applications:
            if application.needs_owner:
                iam_user = application.row.iam_user
                keys = ", ".join(key.access_key_id for key in application.keys) or "no active key"
                yield f"{iam_user} in {iam_user.account.name} needs another owner. It has: {keys}."

    def _found_later(self) -> Iterator[str]:
        known = self.offboarding.iam_users.values("iam_user")
        rows = IAMUser.objects.visible_to(self._by).in_organization(self.offboarding.organization).present()
        later = rows.filter(owner=self.offboarding.person_id).exclude(pk__in=known).select_related("account")
        for iam_user in later.order_by("pk"):
            yield f"{iam_user} in {iam_user.account.name} is theirs and was found after this began."

    def _passwords(self) -> Iterator[str]:
        for holding in self.holdings:
            if holding.row.had_login_profile and _login_profile(holding.iam_user) is None:
                name = f"{holding.iam_user} in {holding.iam_user.account.name}"
                yield f"{name} had a console password. Make a new one under Console access if it is needed."

    def _unseen(self) -> Iterator[str]:
        accounts = Account.objects.filter(organization=self.offboarding.organization).count() - len(self.readings)
        if accounts:
            which = f"{accounts} AWS account{pluralize(accounts)} of the organization"
            yield f"{which} {pluralize(accounts, 'is,are')} not yours to see: an owner or admin can look."
        seen = {row.pk for row in self._seen()}
        hidden = self.offboarding.iam_users.count() - len(seen)
        if hidden:
            which = f"{hidden} IAM user{pluralize(hidden)} of other teams"
            yield f"{which} {pluralize(hidden, 'is,are')} not yours to see: an owner or admin can look."


def _holding(row: OffboardedIAMUser, at: datetime) -> Holding:
    steps = [_step(entry, at) for entry in (row.disabled, row.enabled, row.deleted) if entry is not None]
    iam_user = row.iam_user
    facts = [] if iam_user.gone_at is not None else list(_facts(row, steps))
    known = _known_gone(iam_user) if iam_user.gone_at is not None else iam_user.known_from(iam_user.account)
    return Holding(row, facts, steps, known, list(_left(row, steps, facts)))


def _step(entry: Entry, at: datetime) -> Step:
    delivery = next(iter(entry.deliveries.all()), None)
    shown = Shown("Recorded", "neutral") if delivery is None else states.of_delivery(delivery, at=at)
    return Step(entry, delivery, shown)


def _known_gone(iam_user: IAMUser) -> Knowledge:
    """That it is gone is proved by a reading of the whole account since; until then it is only what was done."""
    if iam_user.gone_at is not None and _shows(iam_user.account, iam_user.gone_at):
        return Knowledge("account authorization details", iam_user.account.read_at)
    return Knowledge("DeleteUser, not read since", iam_user.gone_at)


def _shows(account: Account, went_at: datetime) -> bool:
    """Whether the account's last reading must show that something went.

    AWS's reads are behind, and an import that still sees it within the quiet time does not believe that it is there.
    """
    return account.read_at is not None and account.read_at >= went_at + QUIET_TIME


def _facts(row: OffboardedIAMUser, steps: list[Step]) -> Iterator[Fact]:
    iam_user = row.iam_user
    account, known = iam_user.account, iam_user.known_from(iam_user.account)
    is_to_be_off = row.enabled is None and steps[0].has_arrived
    for key in iam_user.access_keys.all():
        if key.gone_at is None:
            is_left = is_to_be_off and key.status == AccessKey.Status.ACTIVE
            yield Fact(f"Access key {key.access_key_id}", key.status.lower(), key.known_from(account), is_left)
    yield _password(row, steps[0], is_to_be_off=is_to_be_off)
    is_denied = iam_user.inline_policies.get(POLICY_NAME) == DENY_ALL
    yield Fact(f"Policy {POLICY_NAME}", "denies everything" if is_denied else "not there", known,
               is_to_be_off and not is_denied)  # fmt: skip
    yield Fact("MFA devices", _listed(device.serial_number for device in iam_user.mfa_devices.all()), known)
    others = (f"{one.get_kind_display()} {one.credential_id}" for one in iam_user.iam_credentials.all())
    yield Fact("Other credentials", _listed(others), known)
    groups = (one.iam_group.group_name for one in iam_user.group_memberships.all())
    yield Fact("Groups", _listed(groups), known)
    inline = (name for name in iam_user.inline_policies if name != POLICY_NAME)
    yield Fact("Policies", _listed([*iam_user.attached_policy_arns, *inline]), known)
    yield Fact("Permissions boundary", iam_user.permissions_boundary_arn or "none", known)


def _password(row: OffboardedIAMUser, disabling: Step, *, is_to_be_off: bool) -> Fact:
    """A credential report from before the password went still tells of it: what was read back later is what counts."""
    profile = _login_profile(row.iam_user)
    done_at = disabling.delivery.done_at if disabling.delivery is not None and disabling.has_arrived else None
    known = None if profile is None else profile.known_from(row.iam_user.account)
    is_older = known is not None and done_at is not None and (known.at is None or known.at < done_at)
    if known is None or is_older:
        own = row.iam_user.known_from(row.iam_user.account)
        return Fact("Console password", "none", Knowledge("login profile", done_at) if done_at else own)
    return Fact("Console password", "there", known, is_to_be_off)


def _login_profile(iam_user: IAMUser) -> LoginProfile | None:
    return getattr(iam_user, "login_profile", None)


def _left(row: OffboardedIAMUser, steps: list[Step], facts: list[Fact]) -> Iterator[str]:
    iam_user = row.iam_user
    if iam_user.gone_at is not None:
        return
    name = f"{iam_user} in {iam_user.account.name}"
    for step in steps:
        # That a step was given up matters only while nothing later has arrived.
        if not step.has_arrived and not any(later.has_arrived for later in steps[steps.index(step) :]):
            error = f" {step.delivery.error}" if step.delivery is not None and step.delivery.error else ""
            yield f"{name}: {step.words} is {_lower(step.shown.words)}.{error}"
    yield from (f"{name}: {fact.words} is {fact.value}." for fact in facts if fact.is_left)


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _clock(moment: datetime) -> str:
    return f"{moment:%-d %b %Y, %H:%M} UTC"
