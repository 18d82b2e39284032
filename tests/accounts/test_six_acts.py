"""A03: whatever somebody without the duty of an admin does, six acts long, does not enlarge what they can reach.

What somebody reaches is what the IAM users can do that they own: to the owner goes every password and every key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.closures import Holding, holdings_of
from accounts.kinds import Kind
from accounts.models import (
    AccessKey,
    Account,
    Duty,
    Envelope,
    IAMGroup,
    IAMPolicy,
    IAMUser,
    Membership,
    Organization,
    Person,
    Request,
    Rotation,
    Team,
)
from accounts.policy.escalation import escalations
from accounts.usecases import (
    access_keys,
    console_access,
    envelopes,
    first_keys,
    group_grants,
    iam_users,
    iam_users_changes,
    invitations,
    memberships,
    offboarding,
    ownership,
    requests,
    rotation,
)
from tests import factories

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
# Nobody raises themselves; there is nothing to approve, and nothing attached or bounding.
ONLY_REFUSED = ("raise", "approve", "detach", "unbind")
# Lou leads two teams, whose envelopes differ.
WHO = ("lena", "mia", "hugo", "ada", "lou")
ALLOWED = {
    "ledger-writers": ["s3:PutObject", "s3:GetObject"],
    # Each half of a way to more rights may be handed out; both together may not.
    "passers": ["iam:PassRole"],
    "builders": ["lambda:CreateFunction", "lambda:InvokeFunction"],
}
ELSEWHERE = {"administrators": ["*"], "keepers": ["iam:CreateAccessKey"], "listers": ["iam:ListUsers"]}
# Of the other team; together with what the first one has besides, a way to more rights.
ALLOWED_THERE = ("ledger-writers", "builders", "listers")
NAMES = [*ALLOWED, *ELSEWHERE]
REFUSALS = (ValidationError, PermissionDenied, Http404)


@dataclass
class World:
    """Acme with one account, whose groups and policies bear the names above."""

    organization: Organization
    account: Account
    team: Team
    other_team: Team
    people: dict[str, Person]
    number: int = 0
    asked: list[Request] = field(default_factory=list)

    def arn(self, name: str) -> str:
        """Of the policy of this name."""
        return f"arn:aws:iam::{self.account.account_id}:policy/{name}"

    def key_of(self, place: int) -> AccessKey:
        """The one key of an IAM user that no rotation has."""
        key = self.iam_user(place).access_keys.order_by("pk").first()
        if key is None:
            raise ValidationError("It has no key.")
        return key

    def rotation(self, state: str, place: int) -> Rotation:
        """One that has come this far."""
        rows = list(Rotation.objects.filter(account=self.account, state=state).order_by("pk"))
        if not rows:
            raise ValidationError("There is none.")
        return rows[place % len(rows)]

    def iam_user(self, place: int) -> IAMUser:
        """One of those that are there now."""
        rows = list(IAMUser.objects.filter(account=self.account).order_by("pk"))
        return rows[place % len(rows)]


@pytest.fixture
def world(
    acme: Organization, payments: Team, platform: Team, acme_prod: Account, lena: Person, mia: Person, hugo: Person,
    ada: Person, olive: Person,
) -> World:  # fmt: skip
    for name, actions in {**ALLOWED, **ELSEWHERE}.items():
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        policy = factories.iam_policy(acme_prod, name, document=document)
        factories.iam_group(acme_prod, name, attached_policy_arns=[policy.arn])
    factories.envelope(
        payments,
        path="/payments/",
        accounts=[acme_prod],
        groups=IAMGroup.objects.filter(group_name__in=ALLOWED),
        policies=IAMPolicy.objects.filter(policy_name__in=ALLOWED),
    )
    factories.envelope(
        platform,
        path="/payments/",
        accounts=[acme_prod],
        groups=IAMGroup.objects.filter(group_name__in=ALLOWED_THERE),
        policies=IAMPolicy.objects.filter(policy_name__in=ALLOWED_THERE),
    )
    lou = factories.member("lou@acme.test", Duty.LEAD, of=acme, team=payments)
    factories.membership(lou, Duty.LEAD, of=acme, team=platform)
    people = {"lena": lena, "mia": mia, "hugo": hugo, "ada": ada, "olive": olive, "lou": lou}
    teams = {"lena": payments, "mia": payments, "robot": platform, "nobodys": None, "lou": payments}
    for name, team in teams.items():
        row = factories.iam_user(acme_prod, name, team=team, owner=people.get(name), path="/payments/")
        factories.group_membership(row, IAMGroup.objects.get(group_name="ledger-writers"))
    strong = factories.iam_user(acme_prod, "strong", team=payments, owner=olive, path="/payments/")
    factories.group_membership(strong, IAMGroup.objects.get(group_name="administrators"))
    for row in IAMUser.objects.all():
        factories.access_key(row, status="Inactive" if row.user_name == "mia" else "Active")
    for owner in (lena, mia, olive):
        for state in ("delivered", "deactivated"):
            rotated(factories.iam_user(acme_prod, f"{owner.pk}-{state}", team=payments, owner=owner), state)
    return World(acme, acme_prod, payments, platform, people)


def rotated(row: IAMUser, state: str) -> None:
    """Let a rotation of a key of it have come this far."""
    inactive = {"deactivated_at": AT, "watch_until": AT, "proven_by": "use"} if state == "deactivated" else {}
    old_key = factories.access_key(row, status="Inactive" if inactive else "Active")
    factories.rotation(old_key, new_key=factories.access_key(row), state=state, **inactive)


Act = Callable[[World, Person, int, str], object]


def _create(world: World, by: Person, place: int, name: str) -> object:
    world.number += 1
    grants: dict[str, Any] = {"group_names": [name]} if place % 2 else {"policy_arns": [world.arn(name)]}
    return iam_users.create_iam_user(
        by=by, team=world.team, account=world.account, user_name=f"new-{world.number}", kind="person", owner=by,
        at=AT, console_access=True, **grants,
    )  # fmt: skip


def _own(world: World, by: Person, place: int, name: str) -> object:
    return ownership.assign_iam_users(by=by, iam_users=[world.iam_user(place)], owner=by, at=AT)


def _take(world: World, by: Person, place: int, name: str) -> object:
    """To the team that it is not in, and to themselves at once or not."""
    iam_user, owner = world.iam_user(place), by if name in ALLOWED else None
    team = world.other_team if iam_user.team == world.team else world.team
    return ownership.assign_iam_users(by=by, iam_users=[iam_user], team=team, owner=owner, at=AT)


def _tag(world: World, by: Person, place: int, name: str) -> object:
    tags = {"owner": by.email, "team": world.team.name if place % 2 else world.other_team.name}
    return iam_users.tag_iam_user(by=by, iam_user=world.iam_user(place), tags=tags, at=AT)


def _invite(world: World, by: Person, place: int, name: str) -> object:
    duty = list(Duty)[place % len(Duty)]
    return invitations.invite_person(
        by=by, organization=world.organization, email="me.too@acme.test", duty=duty, team=world.team, at=AT
    )


def _raise(world: World, by: Person, place: int, name: str) -> object:
    duty = list(Duty)[place % len(Duty)]
    return memberships.grant_duty(by=by, organization=world.organization, person=by, duty=duty, team=world.team, at=AT)


def _widen(world: World, by: Person, place: int, name: str) -> object:
    groups = IAMGroup.objects.exclude(group_name__in=["administrators", "keepers"])
    return envelopes.change_envelope(
        by=by, team=world.team, accounts=[world.account], groups=groups, policies=(), permissions_boundary=None,
        path="/", tag_rules=(), iam_user_limit=None, at=AT, reason="Mine",
    )  # fmt: skip


def _ask(world: World, by: Person, place: int, name: str) -> object:
    change = {"group": name, "until": None}
    asked = requests.make_request(
        by=by, kind=Kind.IAM_USER_ADDED_TO_GROUP, about=world.iam_user(place), change=change, reason="x", at=AT
    )
    world.asked.append(asked)
    return asked


def _approve(world: World, by: Person, place: int, name: str) -> object:
    if not world.asked:
        raise ValidationError("Nothing was asked for.")
    return requests.approve_request(by=by, request=world.asked[place % len(world.asked)], at=AT)


def _of_one(use_case: Callable[..., object], **more: Callable[[World, str], Any]) -> Act:
    """An act on one IAM user, with what the name stands for."""

    def act(world: World, by: Person, place: int, name: str) -> object:
        what = {keyword: value(world, name) for keyword, value in more.items()}
        return use_case(by=by, iam_user=world.iam_user(place), at=AT, **what)

    return act


def _of_key(use_case: Callable[..., object]) -> Act:
    """An act on the key of one IAM user."""

    def act(world: World, by: Person, place: int, name: str) -> object:
        return use_case(by=by, access_key=world.key_of(place), at=AT, reason="x")

    return act


def _of_rotation(use_case: Callable[..., object], state: str) -> Act:
    """An act on one rotation, with a reason that overrides what can be."""

    def act(world: World, by: Person, place: int, name: str) -> object:
        return use_case(by=by, rotation=world.rotation(state, place), at=AT, reason="x")

    return act


def _offboard(world: World, by: Person, place: int, name: str) -> object:
    person = list(world.people.values())[place % len(world.people)]
    return offboarding.offboard_person(
        by=by, organization=world.organization, person=person, reason="x", at=AT, delete_after=AT + timedelta(days=1)
    )


ACTS: dict[str, Act] = {
    "create": _create,
    "own": _own,
    "take": _take,
    "tag": _tag,
    "invite": _invite,
    "raise": _raise,
    "widen": _widen,
    "ask": _ask,
    "approve": _approve,
    "offboard": _offboard,
    "add to group": _of_one(iam_users.add_iam_user_to_group, group_name=lambda world, name: name),
    "grant group": _of_one(
        group_grants.grant_group, group_name=lambda world, name: name, until=lambda *_: AT + timedelta(days=1)
    ),
    "remove from group": _of_one(iam_users.remove_iam_user_from_group, group_name=lambda world, name: name),
    "attach": _of_one(iam_users_changes.attach_policy, policy_arn=lambda world, name: world.arn(name)),
    "detach": _of_one(iam_users_changes.detach_policy, policy_arn=lambda world, name: world.arn(name)),
    "bind": _of_one(iam_users_changes.change_boundary, policy_arn=lambda world, name: world.arn(name)),
    "unbind": _of_one(iam_users_changes.change_boundary, policy_arn=lambda *_: ""),
    "move": _of_one(iam_users_changes.change_path, path=lambda world, name: f"/payments/{name}/"),
    "password": _of_one(console_access.create_login_profile),
    "key": _of_one(first_keys.create_access_key),
    "rotate": _of_key(rotation.start_rotation),
    "make key inactive": _of_key(access_keys.make_key_inactive),
    "make key active": _of_key(access_keys.make_key_active),
    "delete key": _of_key(access_keys.delete_access_key),
    "make old key inactive": _of_rotation(rotation.make_old_key_inactive, "delivered"),
    "make old key active": _of_rotation(rotation.make_old_key_active, "deactivated"),
    "delete old key": _of_rotation(rotation.delete_old_key, "deactivated"),
    "give up rotation": _of_rotation(rotation.give_up_rotation, "delivered"),
}  # fmt: skip


def theirs(by: Person) -> models.QuerySet[IAMUser]:
    """The IAM users that they own, and those of which a new key is sealed for them."""
    return IAMUser.objects.filter(models.Q(owner=by) | models.Q(rotations__recipient=by)).distinct()


def reached(by: Person) -> int:
    """What they reach, as bits: all that IAM users of theirs hold, or may hold while something is on its way."""
    bits = 0
    for iam_user in theirs(by):
        for holding in holdings_of(iam_user):
            bits |= holding.closure().reach.bits
    return bits


def ways(by: Person) -> set[str]:
    """The known ways to more rights that are open to them."""
    found = theirs(by)
    closures = [holding.closure() for iam_user in found for holding in holdings_of(iam_user)]
    return {escalation.method.name for closure in closures for escalation in escalations(closure)}


def handed_out(world: World, by: Person) -> int:
    """What the person's envelopes hold, each group and policy by itself; nothing for who leads no team."""
    bits = 0
    for team, names in ((world.team, [*ALLOWED]), (world.other_team, [*ALLOWED_THERE])):
        if Membership.objects.active().of(by).filter(duty=Duty.LEAD, team=team).exists():
            allowed = Holding(world.account).joining(*names).attaching(*map(world.arn, names))
            bits |= allowed.closure().reach.bits
    return bits


# What gives something is drawn more often than the rest.
GIVING = ("create", "own", "take", "add to group", "grant group", "attach")
acts = st.tuples(
    st.sampled_from([*sorted(ACTS), *GIVING * 6]), st.sampled_from([0, 0, 0, 4, 5, 1, 2, 3]), st.sampled_from(NAMES)
)


@pytest.mark.parametrize("who", WHO)
@settings(
    max_examples=120, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(sequence=st.lists(acts, min_size=1, max_size=6))
def test_no_six_acts_enlarge_what_somebody_reaches(
    world: World, who: str, sequence: list[tuple[str, int, str]]
) -> None:
    person = world.people[who]
    duties = set(Membership.objects.of(person).values_list("duty", "team"))
    most, open_before = reached(person) | handed_out(world, person), ways(person)
    world.asked.clear()

    with transaction.atomic():
        for act, place, name in sequence:
            _try(partial(ACTS[act], world, person, place, name))
            assert reached(person) & ~most == 0, (act, place, name)
            assert ways(person) <= open_before, (act, place, name)
        assert set(Membership.objects.active().of(person).values_list("duty", "team")) <= duties
        assert set(Envelope.objects.values_list("version", flat=True)) == {1}
        assert not Request.objects.filter(state=Request.State.APPROVED).exists()
        transaction.set_rollback(True)


def _try(act: Callable[[], object]) -> None:
    try:
        with transaction.atomic():
            act()
    except REFUSALS:
        pass


PAIRS = [(act, name) for act in ("add to group", "grant group", "attach") for name in NAMES]


@pytest.mark.parametrize("first", PAIRS)
def test_no_two_gifts_give_what_the_envelope_does_not(world: World, first: tuple[str, str]) -> None:
    lena = world.people["lena"]
    most = reached(lena) | handed_out(world, lena)

    for second in PAIRS:
        with transaction.atomic():
            for act, name in (first, second):
                _try(partial(ACTS[act], world, lena, 0, name))
            assert ways(lena) == set(), (first, second)
            assert reached(lena) & ~most == 0, (first, second)
            transaction.set_rollback(True)


@pytest.mark.parametrize("name", sorted(ACTS))
def test_each_act_is_one_that_somebody_may(world: World, name: str) -> None:
    """By whom it is done without a refusal: the sequences above do not consist of typing errors."""
    done = []
    for who, person in world.people.items():
        for place in range(12):
            for group in NAMES:
                with transaction.atomic():
                    try:
                        with transaction.atomic():
                            ACTS[name](world, person, place, group)
                        done.append(who)
                    except REFUSALS:
                        pass
                    transaction.set_rollback(True)
                if done and who in done:
                    break
            if who in done:
                break

    assert done or name in ONLY_REFUSED
