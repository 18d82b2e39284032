"""The state machine's newer half: paths, boundaries, policies, passwords, keys, grants, requests and leavers.

No secret is lost silently: each key and password in AWS is the one that is sealed for its owner, or a human is asked.
"""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from accounts.kinds import Kind
from accounts.models import AccessKey, GroupGrant, IAMUser, LoginProfile, Offboarding, Person, Request
from accounts.models.sealed import Bond, Purpose, sealed_for
from accounts.policy.denial import POLICY_NAME
from accounts.usecases import (
    console_access,
    deliveries,
    first_keys,
    group_grants,
    iam_users_changes,
    offboarding,
    requests,
)
from portal.ledger.models import Delivery
from portal.secrets import seal
from tests.faults.portal_machine import NAMES, Portal
from tests.faults.state_machine_house import GROUPS, OTHER_GROUP, PATH

PATHS = st.sampled_from([PATH, f"{PATH}here/"])
TIMES = st.sampled_from([timedelta(seconds=30), timedelta(minutes=10)])
DELAYS = st.sampled_from([timedelta(), timedelta(minutes=5), timedelta(days=7)])


class Gate(Portal):
    """In the model a grant puts nobody into a group for good, and who leaves takes their own IAM user along."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.given_up: set[str] = set()

    # People decide

    @initialize(names=st.sampled_from([("mia", "robot"), ("mia",), ("robot",), ()]))
    def begin(self, names: tuple[str, ...]) -> None:
        """Most decisions are about somebody who is there, and can get in."""
        for name in names:
            self.create(name=name, tags={}, groups=set())
            self.create_password(name=name)
            self.create_key(name=name)
        self.deliver_what_is_due()

    @rule(name=NAMES, path=PATHS)
    def move(self, name: str, path: str) -> None:
        if self._decide_about(iam_users_changes.change_path, name, path=path):
            self.wanted[name]["path"] = path

    @rule(name=NAMES, is_bound=st.booleans())
    def bind(self, name: str, is_bound: bool) -> None:
        arn = self.house.policy_arn if is_bound else ""
        if self._decide_about(iam_users_changes.change_boundary, name, policy_arn=arn):
            self.wanted[name]["boundary"] = arn

    @rule(name=NAMES)
    def attach(self, name: str) -> None:
        if self._decide_about(iam_users_changes.attach_policy, name, policy_arn=self.house.policy_arn):
            self.wanted[name]["policies"] = {self.house.policy_arn}

    @rule(name=NAMES)
    def detach(self, name: str) -> None:
        if self._decide_about(iam_users_changes.detach_policy, name, policy_arn=self.house.policy_arn):
            self.wanted[name]["policies"] = set()

    @rule(name=NAMES)
    def create_password(self, name: str) -> None:
        self._decide_about(console_access.create_login_profile, name)

    @rule(name=NAMES)
    def reset_password(self, name: str) -> None:
        self._decide_about(console_access.reset_login_profile, name)

    @rule(name=NAMES)
    def remove_password(self, name: str) -> None:
        self._decide_about(console_access.remove_login_profile, name)

    @rule(name=NAMES)
    def create_key(self, name: str) -> None:
        self._decide_about(first_keys.create_access_key, name)

    @rule(name=NAMES, group=st.sampled_from(GROUPS), time=TIMES)
    def grant(self, name: str, group: str, time: timedelta) -> None:
        self._decide_about(group_grants.grant_group, name, group_name=group, until=self.clock.now() + time)

    @rule(which=st.integers(0, 5), time=TIMES)
    def extend(self, which: int, time: timedelta) -> None:
        if grant := self._grant(which):
            until = grant.until + time
            self._decide(group_grants.extend_grant, grant.iam_user.user_name, grant=grant, until=until)

    @rule(which=st.integers(0, 5))
    def give_back(self, which: int) -> None:
        if grant := self._grant(which):
            self._decide(group_grants.give_back_grant, grant.iam_user.user_name, grant=grant)

    def _grant(self, which: int) -> GroupGrant | None:
        running = GroupGrant.objects.running().filter(organization=self.house.organization).order_by("pk")
        found = list(running.select_related("iam_user__account", "iam_user__organization", "organization"))
        return found[which % len(found)] if found else None

    @rule(name=NAMES)
    def ask(self, name: str) -> None:
        row = self.house.row(name)
        if row is not None:
            what = {"kind": Kind.IAM_USER_ADDED_TO_GROUP, "change": {"group": OTHER_GROUP, "until": None}}
            self._decide(requests.make_request, name, by=self.house.lena, about=row, reason="On call", **what)

    @rule(which=st.integers(0, 3))
    def approve(self, which: int) -> None:
        found = list(Request.objects.open().filter(organization=self.house.organization).order_by("pk"))
        if not found:
            return
        request = found[which % len(found)]
        row = IAMUser.objects.get(pk=request.subject_id)
        if self._decide(requests.approve_request, row.user_name, request=request):
            request.refresh_from_db()
            if request.state == Request.State.APPROVED:
                self.asked.add(row.user_name)
                self.wanted[row.user_name]["groups"] = self.wanted[row.user_name]["groups"] | {OTHER_GROUP}

    @rule(delay=DELAYS)
    def offboard(self, delay: timedelta) -> None:
        now = self.clock.now()
        told: dict[str, Any] = {"organization": self.house.organization, "person": self.house.member()}
        self._decide(offboarding.offboard_person, "mia", reason="Leaves", delete_after=now + delay, **told)
        self._forget_whom_the_portal_deletes()

    @rule()
    def undo(self) -> None:
        started = Offboarding.objects.filter(organization=self.house.organization, state="started")
        if row := started.select_related("organization", "person").order_by("pk").first():
            self._decide(offboarding.undo_offboarding, "mia", offboarding=row, reason="Stays")

    @rule(which=st.integers(0, 5))
    def give_up(self, which: int) -> None:
        """What it has half done is nobody's to say any more, but the secrets are."""
        stuck = list(Delivery.objects.of(self.house.organization).stuck().order_by("pk"))
        if stuck:
            delivery = stuck[which % len(stuck)]
            name = delivery.subject.rsplit("/", 1)[-1]
            if self._decide(deliveries.give_up, name, delivery=delivery, reason="It was nobody's"):
                self.given_up.add(name)

    # The portal decides what is over

    @rule()
    def end_what_is_over(self) -> None:
        group_grants.end_due_grants(at=self.clock.now())
        offboarding.follow_offboardings(at=self.clock.now())
        self._forget_whom_the_portal_deletes()

    def _forget_whom_the_portal_deletes(self) -> None:
        row = self.house.row("mia")
        gone = Offboarding.objects.filter(organization=self.house.organization, state__in=["deleting", "concluded"])
        if row is not None and gone.filter(iam_users__iam_user=row, iam_users__kind="person").exists():
            self.wanted.pop("mia", None)

    # What holds after each step

    @invariant()
    def nobody_is_let_in_again_while_they_are_offboarded(self) -> None:
        """No decision of that sort is on its way behind the one that disables."""
        leaving = Offboarding.objects.open().filter(organization=self.house.organization)
        for row in IAMUser.objects.filter(offboardings__offboarding__in=leaving, kind="person"):
            begun = leaving.get(iam_users__iam_user=row).begun_at
            later = Delivery.objects.open().about("iam_user", row.pk).filter(entry__at__gt=begun)
            assert not later.filter(entry__kind__in=[Kind.LOGIN_PROFILE_CREATED, Kind.ACCESS_KEY_CREATED]).exists()

    # How it ends

    def teardown(self) -> None:
        self.aws.faults.clear()
        self.house.quiesce()
        self.clock.tick(timedelta(hours=1))
        self.end_what_is_over()
        super().teardown()
        assert not GroupGrant.objects.due(self.clock.now()).exists()

    def _may_need_a_human(self, name: str) -> bool:
        """A password whose answer was lost, a recipient who left and an approval that lapsed are a human's too."""
        stuck = Delivery.objects.of(self.house.organization).stuck().filter(subject__endswith=f"/{name}")
        is_asked = stuck.filter(stuck_kind__in=["outdated", "conflict"]).exists()
        return is_asked or name in self.given_up or super()._may_need_a_human(name)

    def _assert_aws_is_as_decided(self, name: str) -> None:
        if name not in self.given_up:
            super()._assert_aws_is_as_decided(name)
        if name in self.house.in_aws() and (row := self.house.row(name)) is not None:
            self._assert_nobody_holds_what_nobody_knows(name, row)

    def _assert_nobody_holds_what_nobody_knows(self, name: str, row: IAMUser) -> None:
        user = self.house.in_aws()[name]
        rows = dict(AccessKey.objects.present().filter(iam_user=row).values_list("access_key_id", "status"))
        assert {key.access_key_id: key.status for key in user.access_keys} == rows
        for key in user.access_keys:
            assert self._told(row, Bond(Purpose.ACCESS_KEY, row.pk, key.access_key_id)) == key.secret_access_key
        if name not in self.given_up:
            assert bool(user.password) == LoginProfile.objects.filter(iam_user=row).exists()
        if LoginProfile.objects.filter(iam_user=row).exists():
            newest = sealed_for(row, Purpose.PASSWORD).order_by("created_at").last()
            assert newest is not None
            assert self._told(row, Bond.of(newest)) == user.password
        if POLICY_NAME in user.policies:
            assert "Active" not in rows.values()

    def _told(self, row: IAMUser, bond: Bond) -> str:
        sealed = sealed_for(row, bond.purpose).get(bound_to=str(bond))
        recipient = Person.objects.get(pk=sealed.recipient_id)
        return seal.open_once(secret_id=sealed.pk, by=recipient, at=sealed.created_at).reveal()
