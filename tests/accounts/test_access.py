"""Who may do what: the table of duties and permissions, written out, so that a change of it is seen here."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import access
from accounts.access import NotAllowed, NotThere, Permission
from accounts.models import Account, Duty, IAMUser, Membership, Organization, Person, Team
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# Where each duty has each permission: everywhere in the organization (O), for the own team only (T), nowhere (-).
# In the order of the duties: owner, admin, lead, helpdesk, auditor, member.
DUTIES = ("owner", "admin", "lead", "helpdesk", "auditor", "member")
TABLE = {
    "accounts:organization:view": "OOTOO-",
    "accounts:iam_user:view": "OOTOOO",
    "accounts:iam_user:create": "OOT---",
    "accounts:iam_user:tag": "OOT---",
    "accounts:iam_user:change_groups": "OOT---",
    "accounts:iam_user:delete": "OOT---",
    "accounts:iam_user:assign": "OOT---",
    "accounts:iam_user:change_console_access": "OOT---",
    "accounts:iam_user:create_access_key": "OOT---",
    "accounts:iam_user:change_access_keys": "OOT---",
    "accounts:ownership:change": "OO----",
    "accounts:drift:decide": "OOT---",
    "accounts:account:view": "OOTOO-",
    "accounts:account:connect": "OO----",
    "accounts:account:refresh": "OO----",
    "accounts:boundary:keep": "OO----",
    "accounts:boundary:change": "O-----",
    "ledger:entry:view": "OO--O-",
    "ledger:entry:export": "OO--O-",
    "ledger:delivery:view": "OO--O-",
    "ledger:delivery:change": "OO----",
    "accounts:person:view": "OOTOO-",
    "accounts:person:invite": "OOT---",
    "accounts:membership:change": "O-----",
    "accounts:team:change": "OO----",
    "accounts:envelope:change": "O-----",
    "accounts:iam_user:change": "OOT---",
    "accounts:iam_user:change_policies": "OOT---",
    "accounts:iam_user:change_boundary": "OOT---",
    "accounts:iam_user:export": "OOT-O-",
    "accounts:person:offboard": "OOT---",
    "accounts:request:make": "OOT---",
    "accounts:request:view": "OOT-O-",
    "accounts:request:decide": "OO----",
    "accounts:rotation_rule:change": "OO----",
}
CELLS = [(duty, name, cells[column]) for name, cells in TABLE.items() for column, duty in enumerate(DUTIES)]


def test_the_table_knows_every_duty_and_every_permission() -> None:
    assert set(TABLE) == set(Permission)
    assert list(DUTIES) == list(Duty)
    assert {len(cells) for cells in TABLE.values()} == {len(DUTIES)}


@pytest.mark.parametrize(("duty", "name", "cell"), CELLS)
def test_a_duty_allows_what_the_table_says(
    duty: str, name: str, cell: str, acme: Organization, payments: Team, platform: Team
) -> None:
    somebody = factories.member("somebody@acme.test", Duty(duty), of=acme, team=payments)

    def may(team: Team | None) -> bool:
        return access.may(by=somebody, to=Permission(name), organization=acme, team=team)

    assert (may(payments), may(platform), may(None)) == {
        "O": (True, True, True),
        "T": (True, False, False),
        "-": (False, False, False),
    }[cell]
    assert access.may_anywhere(by=somebody, to=Permission(name), organization=acme) == (cell != "-")
    assert (
        set(access.teams_for(by=somebody, to=Permission(name), organization=acme))
        == {
            "O": {payments, platform},
            "T": {payments},
            "-": set(),
        }[cell]
    )


@pytest.mark.parametrize(("duty", "name", "cell"), CELLS)
def test_require_says_no_where_the_table_does(
    duty: str, name: str, cell: str, acme: Organization, payments: Team, platform: Team
) -> None:
    somebody = factories.member("somebody@acme.test", Duty(duty), of=acme, team=payments)

    for team, allowed in ((payments, "OT"), (platform, "O"), (None, "O")):
        if cell in allowed:
            access.require(by=somebody, to=Permission(name), organization=acme, team=team)
        else:
            with pytest.raises(NotAllowed) as refused:
                access.require(by=somebody, to=Permission(name), organization=acme, team=team)
            assert refused.value.permission == name


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("ending", ["disabled", "ended", "never"])
def test_who_has_left_or_is_disabled_or_never_came_has_nothing(
    name: str, ending: str, acme: Organization, payments: Team, acme_prod: Account, globex: Organization
) -> None:
    somebody = factories.member("somebody@acme.test", Duty.OWNER, of=globex if ending == "never" else acme)
    if ending == "disabled":
        Person.objects.update(is_active=False)
    if ending == "ended":
        Membership.objects.update(ended_at=AT)
    somebody.refresh_from_db()
    factories.iam_user(acme_prod, "mia", team=payments, owner=somebody)
    permission = Permission(name)

    assert not access.may(by=somebody, to=permission, organization=acme, team=payments)
    assert not access.may_anywhere(by=somebody, to=permission, organization=acme)
    assert not access.teams_for(by=somebody, to=permission, organization=acme)
    assert not access.reaches_beyond_envelopes(by=somebody, organization=acme)
    assert not IAMUser.objects.visible_to(somebody)
    assert not Account.objects.visible_to(somebody)
    with pytest.raises(NotThere):
        access.require(by=somebody, to=permission, organization=acme, team=payments)


def test_the_teams_of_another_organization_are_not_among_those_of_an_owner(
    olive: Person, acme: Organization, payments: Team, core: Team
) -> None:
    factories.membership(olive, Duty.MEMBER, of=core.organization)

    assert set(access.teams_for(by=olive, to=Permission.CREATE_IAM_USER, organization=acme)) == {payments}
    assert not access.teams_for(by=olive, to=Permission.CREATE_IAM_USER, organization=core.organization)


def test_a_duty_in_one_organization_is_none_in_another(
    olive: Person, globex: Organization, core: Team, globex_main: Account
) -> None:
    factories.membership(olive, Duty.MEMBER, of=globex)
    theirs = factories.iam_user(globex_main, "shop", team=core)

    assert not access.may(by=olive, to=Permission.DELETE_IAM_USER, organization=globex, team=core)
    with pytest.raises(NotAllowed):
        access.require(by=olive, to=Permission.DELETE_IAM_USER, organization=globex, team=core)
    with pytest.raises(NotThere):
        access.require_on_iam_user(by=olive, to=Permission.DELETE_IAM_USER, iam_user=theirs)


def test_two_duties_add_up(lena: Person, acme: Organization, payments: Team, platform: Team) -> None:
    factories.membership(lena, Duty.AUDITOR, of=acme)

    assert access.may(by=lena, to=Permission.VIEW_LEDGER, organization=acme)
    assert access.may(by=lena, to=Permission.CREATE_IAM_USER, organization=acme, team=payments)
    assert not access.may(by=lena, to=Permission.CREATE_IAM_USER, organization=acme, team=platform)


# What each sees

SEEN = {
    "olive": {"payments", "platform", "teamless", "mias"},
    "hugo": {"payments", "platform", "teamless", "mias"},
    "ada": {"payments", "platform", "teamless", "mias"},
    "lena": {"payments"},
    "mia": {"mias"},
    "oskar": {"globex"},
}


@pytest.mark.parametrize(("who", "names"), SEEN.items())
def test_each_sees_the_iam_users_that_are_theirs_to_see(
    request: pytest.FixtureRequest,
    who: str,
    names: set[str],
    mia: Person,
    payments: Team,
    platform: Team,
    core: Team,
    acme_prod: Account,
    globex_main: Account,
) -> None:
    factories.iam_user(acme_prod, "payments", team=payments)
    factories.iam_user(acme_prod, "platform", team=platform)
    factories.iam_user(acme_prod, "teamless")
    factories.iam_user(acme_prod, "mias", team=platform, owner=mia)
    factories.iam_user(globex_main, "globex", team=core)
    # Whom another organization names as an owner sees nothing of it by that.
    factories.iam_user(globex_main, "lure", team=core, owner=mia)

    seen = IAMUser.objects.visible_to(request.getfixturevalue(who))

    assert {iam_user.user_name for iam_user in seen} - {"lure"} == names
    assert ("lure" in {iam_user.user_name for iam_user in seen}) == (who == "oskar")
    assert seen.count() == len({iam_user.pk for iam_user in seen})


@pytest.mark.parametrize(
    ("who", "names"),
    {
        "olive": {"acme-prod", "acme-dev"},
        "hugo": {"acme-prod", "acme-dev"},
        "ada": {"acme-prod", "acme-dev"},
        "lena": {"acme-prod"},
        "mia": set(),
        "oskar": {"globex-main"},
    }.items(),
)
def test_each_sees_the_accounts_that_are_theirs_to_see(
    request: pytest.FixtureRequest,
    who: str,
    names: set[str],
    envelope: None,
    acme_dev: Account,
    globex_main: Account,
) -> None:
    seen = Account.objects.visible_to(request.getfixturevalue(who))

    assert sorted(account.name for account in seen) == sorted(names)


@pytest.mark.parametrize(
    ("who", "enters"), {"olive": True, "lena": True, "hugo": True, "ada": True, "mia": False, "oskar": True}.items()
)
def test_the_records_room_is_for_those_with_a_duty(request: pytest.FixtureRequest, who: str, enters: bool) -> None:
    somebody = request.getfixturevalue(who)
    assert access.may_enter_records_room(somebody) == enters

    somebody.is_active = False
    assert not access.may_enter_records_room(somebody)


@pytest.mark.django_db
def test_the_records_room_is_not_for_strangers(olive: Person) -> None:
    assert not access.may_enter_records_room(AnonymousUser())

    Membership.objects.update(ended_at=AT)
    assert not access.may_enter_records_room(olive)
