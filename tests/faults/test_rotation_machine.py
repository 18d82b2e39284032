"""Rotations decided, carried, broken, left alone and interfered with, in whatever order: nobody loses a working key.

AWS's reads are never behind here: where they are, a key that somebody else has just made inactive looks as if it works.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts import access
from accounts.delivery.held import QUIET_TIME
from accounts.kinds import Kind
from accounts.models import AccessKey, Rotation
from accounts.usecases import deliveries
from accounts.usecases import rotation as steps
from accounts.usecases.rotation_following import follow_rotations, prove
from accounts.usecases.sealed_secrets import expire_sealed_secrets, open_sealed_secret
from portal.ledger.deliver import deliver, deliver_due
from portal.ledger.models import Delivery
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests.accounts.carrying import Death
from tests.aws import direct
from tests.aws.server import AWS, Server
from tests.aws.strict import Fault
from tests.faults.rotation_house import NAME, RotationHouse, RunningClock, live_by
from tests.faults.state_machine_house import Clock, Crash
from tests.portal.ledger.carrying import together

STEPS: dict[str, Callable[..., Rotation]] = {
    "make inactive": steps.make_old_key_inactive,
    "make active": steps.make_old_key_active,
    "delete": steps.delete_old_key,
    "give up": steps.give_up_rotation,
}
READS = ("AssumeRole", "GetUser", "ListAccessKeys", "GetAccessKeyLastUsed")
OPERATIONS = st.sampled_from([*READS, "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"])
FAULTS = st.sampled_from([Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.THROTTLE, Fault.DENY])
PAUSES = st.sampled_from(
    [timedelta(seconds=3), timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=25), timedelta(days=8)]
)
REASONS = st.sampled_from(["", "I know"])
WHICH = st.integers(0, 5)


class Rotations(RuleBasedStateMachine):
    """One IAM user's keys. What is true of them in AWS is looked at from outside after each step."""

    aws: ClassVar[AWS]
    clock: ClassVar[Clock]
    crash: ClassVar[Crash]

    def __init__(self) -> None:
        super().__init__()
        self.house = RotationHouse.new(self.aws, self.clock)
        self.starts = 0
        self.read_before: list[Any] = []

    # People decide

    @rule(which=WHICH)
    def start(self, which: int) -> None:
        rows = list(AccessKey.objects.present().filter(iam_user=self.house.iam_user).order_by("pk"))
        if rows:
            with suppress(ValidationError):
                key = rows[which % len(rows)]
                steps.start_rotation(by=self.house.mia, access_key=key, at=self.clock.now())
                self.starts += 1

    @rule(name=st.sampled_from(sorted(STEPS)), reason=REASONS, is_lead=st.booleans())
    def decide(self, name: str, reason: str, is_lead: bool) -> None:
        rotation = self.house.open_one()
        if rotation is not None:
            by = self.house.tenant.olive if is_lead else self.house.mia
            with suppress(ValidationError, access.NotAllowed):
                STEPS[name](by=by, rotation=rotation, reason=reason, at=self.clock.now())

    @rule(times=st.integers(1, 5))
    def go_on(self, times: int) -> None:
        """What comes next where nothing goes wrong: else few stories would come far."""
        for _ in range(times):
            self._go_on()
            self.deliver_what_is_due()
            self.clock.tick(timedelta(minutes=1))

    def _go_on(self) -> None:
        rotation = self.house.open_one()
        if rotation is None:
            self.start(0)
        elif rotation.state == Rotation.State.MADE:
            self.open_the_secret()
        elif rotation.state == Rotation.State.DELIVERED:
            self.prove_by_a_request()
        elif rotation.state == Rotation.State.PROVEN:
            self.decide("make inactive", "", is_lead=False)
        elif rotation.state == Rotation.State.DEACTIVATED:
            self.decide("delete", "I know", is_lead=False)

    @rule()
    def open_the_secret(self) -> None:
        sealed = SealedSecret.objects.of(self.house.tenant.organization).ready().order_by("created_at").last()
        if sealed is None:
            return
        with suppress(seal.Expired):
            told = open_sealed_secret(by=self.house.mia, secret_id=sealed.pk, at=self.clock.now()).reveal()
            access_key_id = sealed.bound_to.rsplit("/", 1)[-1]
            self.house.known.add(access_key_id)
            held = self.house.held().get(access_key_id)
            assert held is None or held.secret_access_key == told

    @rule()
    def prove_by_a_request(self) -> None:
        rotation = self.house.open_one()
        if rotation is None or rotation.new_key is None or rotation.new_key.access_key_id not in self.house.usable():
            return
        now = self.clock.now()
        self.house.use(rotation.new_key.access_key_id)
        with transaction.atomic(), suppress(ValidationError):
            prove(rotation=rotation, proven_by=Rotation.ProvenBy.REQUEST, used_at=now, by=self.house.mia, at=now)

    @rule(which=WHICH, is_again=st.booleans())
    def look_at_what_is_stuck(self, which: int, is_again: bool) -> None:
        stuck = list(Delivery.objects.of(self.house.tenant.organization).stuck().order_by("pk"))
        if stuck:
            act = deliveries.try_again if is_again else deliveries.give_up
            delivery, olive = stuck[which % len(stuck)], self.house.tenant.olive
            act(by=olive, delivery=delivery, reason="Somebody looked", at=self.clock.now())

    # The portal works

    @rule()
    def deliver_what_is_due(self) -> None:
        with self.watched():
            deliver_due(at=self.clock.now())

    @rule(which=st.integers(0, 20))
    def deliver_any_in_two_workers_at_once(self, which: int) -> None:
        if found := self.house.tenant.deliveries():
            pk, at = found[which % len(found)].pk, self.clock.now()
            with self.watched():
                assert together(2, lambda _: deliver(pk, at=at)) == [None, None]

    @rule(left=st.integers(1, 7), is_after=st.booleans())
    def die_while_delivering(self, left: int, is_after: bool) -> None:
        self.crash.left, self.crash.is_after = left, is_after
        with self.watched(), suppress(Death):
            deliver_due(at=self.clock.now())
        self.crash.left = None

    @rule(operation=OPERATIONS, fault=FAULTS)
    def break_a_call(self, operation: str, fault: Fault) -> None:
        self.aws.faults.inject(operation, fault, times=3 if operation in READS else 1)

    @rule()
    def beat(self) -> None:
        expire_sealed_secrets(by=None, at=self.clock.now())
        follow_rotations(at=self.clock.now())

    @rule()
    def refresh(self) -> None:
        self.aws.faults.clear()
        self.house.apply(self.house.read())

    @rule()
    def read_and_write_down_later(self) -> None:
        self.aws.faults.clear()
        self.read_before.append(self.house.read())

    @rule()
    def write_down_what_was_read_before(self) -> None:
        if self.read_before:
            self.house.apply(self.read_before.pop())

    @rule(by=PAUSES)
    def tick(self, by: timedelta) -> None:
        self.clock.tick(by)

    # Others use AWS, and change it

    @rule(which=WHICH)
    def use_a_key(self, which: int) -> None:
        if usable := sorted(self.house.usable()):
            self.house.use(usable[which % len(usable)])

    @rule(which=WHICH, status=st.sampled_from(["Active", "Inactive"]))
    def turn_a_key_elsewhere(self, which: int, status: str) -> None:
        if there := sorted(self.house.held()):
            key = there[which % len(there)]
            self.house.tenant.outside().update_access_key(UserName=NAME, AccessKeyId=key, Status=status)

    @rule(which=WHICH)
    def delete_a_key_elsewhere(self, which: int) -> None:
        there = sorted(self.house.held())
        if len(there) > 1:
            key = there[which % len(there)]
            self.house.tenant.outside().delete_access_key(UserName=NAME, AccessKeyId=key)

    @rule()
    def make_a_key_elsewhere(self) -> None:
        if len(self.house.held()) < 2:
            self.house.make_key()

    # What holds

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Whatever the portal does to AWS takes nobody's last key, and none that is in use unless somebody said so."""
        usable, before = self.house.usable(), self.house.statuses()
        yield
        after = self.house.statuses()
        assert self.house.usable() or not usable, (before, after)
        for key, status in before.items():
            if status == "Active" and after.get(key) == "Inactive":
                self._assert_it_was_unused(key)
            assert not (status == "Active" and key in self.house.known and key not in after), (
                key,
                "was deleted active",
            )

    def _assert_it_was_unused(self, key: str) -> None:
        entries = self.house.entries(Kind.ACCESS_KEY_DEACTIVATED)
        entry = [entry for entry in entries if entry.details["access_key_id"] == key][-1]
        if not entry.details["is_override"]:
            first = Rotation.objects.get(pk=entry.details["rotation"]).new_key_first_used_at
            used = self.house.last_uses.get(key)
            assert first is not None
            assert used is None or used <= first

    @invariant()
    def one_rotation_is_open(self) -> None:
        assert sum(rotation.is_open for rotation in self.house.rotations()) <= 1

    @invariant()
    def no_more_keys_are_made_than_were_decided(self) -> None:
        started = Delivery.objects.of(self.house.tenant.organization).filter(entry__kind=Kind.ROTATION_STARTED)
        ours = set(self.house.held()) - self.house.foreign
        rows = set(AccessKey.objects.filter(iam_user=self.house.iam_user).values_list("access_key_id", flat=True))
        assert len(started) == self.starts
        # Each that the portal does not know yet is of a start that has not ended; or somebody has given that up.
        assert len(ours - rows) <= len([one for one in started if one.state != Delivery.State.DONE])

    @invariant()
    def what_needs_a_human_says_so(self) -> None:
        for delivery in self.house.tenant.deliveries():
            if delivery.state == Delivery.State.STUCK:
                assert delivery.state_in_words(self.clock.now()).startswith("Stuck: ")
                assert delivery.error.endswith((".", "!"))

    # How it ends

    def teardown(self) -> None:
        self.aws.faults.clear()
        with self.watched():
            self.house.tenant.quiesce()
        for key in set(self.house.held()) - self.house.known:
            assert self._may_still_be_had(key) or self.house.is_named_somewhere(key), key
        self._look_until_nothing_changes()
        self._assert_rows_and_states_are_true()

    def _may_still_be_had(self, key: str) -> bool:
        ready = SealedSecret.objects.of(self.house.tenant.organization).ready()
        return ready.filter(bound_to__endswith=f"/{key}").exists()

    def _look_until_nothing_changes(self) -> None:
        for _ in range(4):
            self.clock.tick(QUIET_TIME * 2)
            self.house.apply(self.house.read())
            follow_rotations(at=self.clock.now())

    def _assert_rows_and_states_are_true(self) -> None:
        statuses = self.house.statuses()
        assert self.house.rows() == statuses
        for rotation in self.house.rotations():
            old = statuses.get(rotation.old_key.access_key_id, "gone")
            new = statuses.get(rotation.new_key.access_key_id, "gone") if rotation.new_key else "none"
            assert (new, old) in TRUE[rotation.state](rotation), (rotation.state, new, old)


def _any(rotation: Rotation) -> "Anything":
    return Anything()


class Anything:
    """What is over may have been changed since."""

    def __contains__(self, item: object) -> bool:
        return True


WORKS = {("Active", "Active"), ("Inactive", "Active")}
TRUE: dict[str, Callable[[Rotation], Any]] = {
    # A start waits for AWS, or for a human.
    "started": lambda rotation: {("none", old) for old in ("Active", "Inactive", "gone")},
    "made": lambda rotation: {(new, old) for new in ("Active", "Inactive") for old in ("Active", "Inactive", "gone")},
    "delivered": lambda rotation: {(new, old) for new in ("Active", "Inactive") for old in ("Active", "Inactive")},
    "proven": lambda rotation: WORKS,
    "deactivated": lambda rotation: {("Active", "Inactive"), ("Inactive", "Inactive")},
    "done": lambda rotation: {(new, "gone") for new in ("Active", "Inactive", "gone")},
    "given_up": _any,
    "lapsed": _any,
}


@pytest.mark.django_db(transaction=True)
def test_in_whatever_order_nobody_loses_a_working_key(
    aws: AWS, aws_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    Rotations.aws, Rotations.clock, Rotations.crash = aws, RunningClock(), Crash()
    direct.connect(monkeypatch, aws_server.layer)
    live_by(monkeypatch, Rotations.clock, Rotations.crash)

    run_state_machine_as_test(
        Rotations,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            # To find a shorter story takes minutes; whoever needs one adds Phase.shrink.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
