"""The state machine: decisions, deliveries, deaths, faults and changes made elsewhere, in whatever order.

The ledger says what was decided, nobody is made twice, what cannot go on says so, and in the end AWS is as decided.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from accounts import access
from accounts.models import IAMUser
from accounts.usecases import deliveries, iam_users
from portal.ledger import chain
from portal.ledger.deliver import deliver, deliver_due, sweep
from portal.ledger.models import Delivery, Entry
from tests.accounts.carrying import Death
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.faults.state_machine_house import GROUPS, OUTSIDE_TAG, PATH, Clock, Crash, Tenant
from tests.portal.ledger.carrying import together

NAMES = st.sampled_from(["mia", "robot"])
TAGS = st.dictionaries(st.sampled_from(["stage", "team"]), st.sampled_from(["a", "b"]))
OPERATIONS = st.sampled_from(
    [
        "AssumeRole", "CreateUser", "GetUser", "TagUser", "AddUserToGroup", "DeleteUser", "UpdateUser",
        "PutUserPermissionsBoundary", "AttachUserPolicy", "CreateLoginProfile", "UpdateLoginProfile",
        "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "PutUserPolicy", "DeleteUserPolicy",
    ]
)  # fmt: skip
READS = {"AssumeRole", "GetUser", "ListAccessKeys"}
FAULTS = st.sampled_from([Fault.DROP_AFTER, Fault.ERROR_BEFORE, Fault.THROTTLE, Fault.DENY, Fault.READ_LAG])
PAUSES = st.sampled_from([timedelta(seconds=3), timedelta(minutes=1), timedelta(minutes=20)])
ENTRY_TAG = "gatehouse:entry"
KINDS = {"mia": "person", "robot": "application"}
# What else a new IAM user has.
NEW: dict[str, Any] = {"path": PATH, "boundary": "", "policies": frozenset()}

Wanted = dict[str, dict[str, Any]]


class Portal(RuleBasedStateMachine):
    """The model is two things: the list of what was decided, and how AWS must be once all of it has arrived."""

    aws: ClassVar[AWS]
    clock: ClassVar[Clock]
    crash: ClassVar[Crash]
    bell: ClassVar[list[int]]

    def __init__(self) -> None:
        super().__init__()
        self.house = Tenant.new(self.aws, self.clock)
        self.decided: list[tuple[str, str]] = []
        self.wanted: Wanted = {}
        self.made: dict[str, set[str]] = {}
        self.touched: set[str] = set()
        self.gone_groups: set[str] = set()
        self.is_denied = False

    # People decide

    @rule(name=NAMES, tags=TAGS, groups=st.sets(st.sampled_from(GROUPS)))
    def create(self, name: str, tags: dict[str, str], groups: set[str]) -> None:
        house = self.house
        entry = self._decide(
            iam_users.create_iam_user, name, team=house.team, account=house.account, user_name=name, kind=KINDS[name],
            owner=house.member(), purpose="A test", tags=tags, group_names=sorted(groups),
        )  # fmt: skip
        if entry is not None:
            self.wanted[name] = {"tags": tags, "groups": groups, **NEW}

    @rule(name=NAMES, tags=TAGS)
    def tag(self, name: str, tags: dict[str, str]) -> None:
        entry = self._decide_about(iam_users.tag_iam_user, name, tags=tags)
        if entry is not None:
            put = {tag["key"]: tag["value"] for tag in entry.details["put"]}
            kept = {k: v for k, v in self.wanted[name]["tags"].items() if k not in entry.details["removed"]}
            self.wanted[name]["tags"] = kept | put

    @rule(name=NAMES, group=st.sampled_from(GROUPS))
    def add(self, name: str, group: str) -> None:
        if self._decide_about(iam_users.add_iam_user_to_group, name, group_name=group) is not None:
            self.wanted[name]["groups"] = self.wanted[name]["groups"] | {group}

    @rule(name=NAMES, group=st.sampled_from(GROUPS))
    def remove(self, name: str, group: str) -> None:
        if self._decide_about(iam_users.remove_iam_user_from_group, name, group_name=group) is not None:
            self.wanted[name]["groups"] = self.wanted[name]["groups"] - {group}

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if self._decide_about(iam_users.delete_iam_user, name, reason="Not needed any more") is not None:
            del self.wanted[name]

    @rule(which=st.integers(0, 5))
    def try_again(self, which: int) -> None:
        stuck = [delivery for delivery in self.house.deliveries() if delivery.state == Delivery.State.STUCK]
        if stuck:
            delivery = stuck[which % len(stuck)]
            self._decide(deliveries.try_again, delivery.subject, delivery=delivery, reason="Somebody looked at it")

    def _decide_about(self, usecase: Callable[..., object], name: str, **told: Any) -> Entry | None:
        row = self.house.row(name)
        return None if row is None else self._decide(usecase, name, iam_user=row, **told)

    def _decide(self, usecase: Callable[..., object], name: str, **told: Any) -> Entry | None:
        """The entry; or None, with nothing written, where the use-case refuses."""
        before = self._last()
        try:
            usecase(**{"by": self.house.olive, "at": self.clock.now()} | told)
        except (ValidationError, access.NotThere):
            return None
        new = list(Entry.objects.of(self.house.organization).filter(sequence__gt=before).order_by("sequence"))
        self.decided += [(entry.kind, name) for entry in new if entry.by_id]
        return new[-1]

    def _last(self) -> int:
        last = Entry.objects.of(self.house.organization).order_by("-sequence").values_list("sequence", flat=True)
        return last.first() or 0

    # Workers deliver

    @rule()
    def deliver_what_is_due(self) -> None:
        deliver_due(at=self.clock.now())

    @rule(which=st.integers(0, 20))
    def deliver_any_once_more(self, which: int) -> None:
        if found := self.house.deliveries():
            deliver(found[which % len(found)].pk, at=self.clock.now())

    @rule(which=st.integers(0, 20))
    def deliver_any_in_two_workers_at_once(self, which: int) -> None:
        if found := self.house.deliveries():
            pk, at = found[which % len(found)].pk, self.clock.now()
            assert together(2, lambda _: deliver(pk, at=at)) == [None, None]

    @rule(order=st.randoms(use_true_random=False))
    def answer_the_bell_in_any_order(self, order: Any) -> None:
        rung = list(self.bell)
        self.bell.clear()
        order.shuffle(rung)
        for pk in rung:
            deliver(pk, at=self.clock.now())

    @rule()
    def lose_the_bell(self) -> None:
        self.bell.clear()

    @rule()
    def sweep(self) -> None:
        sweep(at=self.clock.now())

    @rule(left=st.integers(1, 8), is_after=st.booleans())
    def die_while_delivering(self, left: int, is_after: bool) -> None:
        self.crash.left, self.crash.is_after = left, is_after
        with suppress(Death):
            deliver_due(at=self.clock.now())
        self.crash.left = None

    @rule(by=PAUSES)
    def tick(self, by: timedelta) -> None:
        self.clock.tick(by)

    # AWS fails, and is changed elsewhere

    @rule(operation=OPERATIONS, fault=FAULTS)
    def break_a_call(self, operation: str, fault: Fault) -> None:
        self.is_denied |= fault is Fault.DENY
        self.aws.faults.inject(operation, fault, times=3 if operation in READS else 1)

    @rule(name=NAMES)
    def delete_the_user_elsewhere(self, name: str) -> None:
        if name in self.house.in_aws():
            self.house.delete_elsewhere(name)
            self.touched.add(name)

    @rule(name=NAMES)
    def make_a_user_of_that_name_elsewhere(self, name: str) -> None:
        if name not in self.house.in_aws():
            # Where the portal would make it: nothing but the tag tells whose it is.
            self.house.outside().create_user(UserName=name, Path=PATH, Tags=[{"Key": OUTSIDE_TAG, "Value": "others"}])
            self.touched.add(name)

    @rule(group=st.sampled_from(GROUPS))
    def delete_the_group_elsewhere(self, group: str) -> None:
        if group not in self.gone_groups:
            for name in self.house.in_aws():
                if group in self.house.groups(name):
                    self.house.outside().remove_user_from_group(UserName=name, GroupName=group)
            self.house.outside().delete_group(GroupName=group)
            self.gone_groups.add(group)

    # What holds after each step

    @invariant()
    def the_ledger_says_what_was_decided(self) -> None:
        # The portal decides by itself that what is over ends.
        entries = Entry.objects.of(self.house.organization).exclude(by_id="").order_by("sequence")
        assert [entry.kind for entry in entries] == [kind for kind, _ in self.decided]
        assert chain.verify(self.house.organization) is None

    @invariant()
    def nobody_is_made_twice(self) -> None:
        """Unless it was deleted elsewhere before the portal heard of it: to make it anew is what was decided."""
        for name, user in self.house.in_aws().items():
            entry = self.house.tags(name).get(ENTRY_TAG)
            if entry and name not in self.touched:
                self.made.setdefault(entry, set()).add(user.id)
        assert [ids for ids in self.made.values() if len(ids) > 1] == []

    @invariant()
    def what_needs_a_human_says_so(self) -> None:
        for delivery in self.house.deliveries():
            if delivery.state == Delivery.State.STUCK:
                assert delivery.state_in_words(self.clock.now()).startswith("Stuck: ")
                assert delivery.error.endswith((".", "!"))

    @invariant()
    def what_others_made_is_left_alone(self) -> None:
        for name in self.house.in_aws():
            tags = self.house.tags(name)
            if OUTSIDE_TAG in tags:
                assert (tags, self.house.groups(name)) == ({OUTSIDE_TAG: "others"}, set())

    # How it ends

    def teardown(self) -> None:
        self.aws.faults.clear()
        self.house.quiesce()
        left = [delivery for delivery in self.house.deliveries() if delivery.is_open]
        held_up = {delivery.subject for delivery in left if delivery.state == Delivery.State.STUCK}
        # What is due waits behind one that is stuck, and that one says so.
        assert {delivery.subject for delivery in left} <= held_up
        for name in ("mia", "robot"):
            is_held_up = any(subject.endswith(f"/{name}") for subject in held_up)
            assert self._may_need_a_human(name) or not is_held_up
            if name not in self.touched and not is_held_up:
                self._assert_aws_is_as_decided(name)
        self.what_others_made_is_left_alone()
        self.bell.clear()

    def _may_need_a_human(self, name: str) -> bool:
        return self.is_denied or bool(self.gone_groups) or name in self.touched

    def _assert_aws_is_as_decided(self, name: str) -> None:
        wanted, row = self.wanted.get(name), self.house.row(name)
        assert (name in self.house.in_aws()) == (wanted is not None) == (row is not None)
        if wanted is None or row is None:
            return
        tags = {key: value for key, value in self.house.tags(name).items() if key != ENTRY_TAG}
        assert (tags, self.house.groups(name)) == (wanted["tags"], wanted["groups"] - self.gone_groups)
        assert (row.user_id, row.peoples_tags) == (self.house.in_aws()[name].id, tags)
        self._assert_the_rest_is_as_decided(name, row, wanted)

    def _assert_the_rest_is_as_decided(self, name: str, row: IAMUser, wanted: dict[str, Any]) -> None:
        user = self.house.in_aws()[name]
        assert (user.path, row.path) == (wanted["path"], wanted["path"])
        boundary = (getattr(user, "permissions_boundary", None) or {}).get("PermissionsBoundaryArn", "")
        assert (boundary, row.permissions_boundary_arn) == (wanted["boundary"], wanted["boundary"])
        assert set(user.managed_policies) == set(row.attached_policy_arns) == wanted["policies"]
