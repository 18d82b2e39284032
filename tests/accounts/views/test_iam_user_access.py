"""The dialogs that change what an IAM user is and may do, what they say beforehand, and what its page says of it."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.kinds import Kind
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, IAMGroup, IAMPolicy, IAMUser, Person, Team
from accounts.usecases.iam_users_changes import attach_policy, change_boundary, detach_policy, rename_iam_user
from accounts.usecases.ownership import assign_iam_users
from portal.ledger.clock import database_now
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter
from tests.faults.drifting import document

pytestmark = pytest.mark.usefixtures("envelope")

PATH = "/portal/acme/payments/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def reading(acme_prod: Account, payments: Team, envelope: None) -> IAMPolicy:
    """A policy inside the envelope of Payments."""
    policy = factories.iam_policy(acme_prod, "reading", document=document("s3:GetObject"))
    payments.envelope.policies.add(policy)
    return policy


@pytest.fixture
def wide(acme_prod: Account) -> IAMPolicy:
    """A policy outside every envelope."""
    return factories.iam_policy(acme_prod, "wide", document=document("*"))


@pytest.fixture
def limit(acme_prod: Account, payments: Team, envelope: None) -> IAMPolicy:
    """The boundary that the IAM users of Payments must have."""
    policy = factories.iam_policy(acme_prod, "limit", document=document("s3:*"))
    payments.envelope.permissions_boundary = policy
    payments.envelope.save()
    return policy


def address(name: str, iam_user: IAMUser) -> str:
    return reverse(name, args=[iam_user.pk])


def text_of(enter: Enter, person: Person, where: str, what: dict[str, Any] | None = None, **headers: str) -> str:
    return enter(person).get(where, what or {}, headers=headers).content.decode()


def page(enter: Enter, person: Person, iam_user: IAMUser) -> str:
    return text_of(enter, person, address("iam_user", iam_user))


# What is decided there


def test_each_dialog_decides_and_leads_back_to_the_page(
    enter: Enter, lena: Person, ledger_reader: IAMUser, reading: IAMPolicy, limit: IAMPolicy
) -> None:
    asked = {
        "rename_iam_user": ({"user_name": "ledger-keeper"}, Kind.IAM_USER_RENAMED),
        "change_path": ({"path": f"{PATH}batch/"}, Kind.IAM_USER_PATH_CHANGED),
        "set_boundary": ({"permissions_boundary": limit.arn}, Kind.IAM_USER_BOUNDARY_CHANGED),
        "attach_policy": ({"policies": reading.arn}, Kind.IAM_USER_POLICY_ATTACHED),
    }
    for name, (fields, kind) in asked.items():
        answer = enter(lena).post(address(name, ledger_reader), fields | {"reason": "Agreed"})

        assert answer.headers["Location"] == address("iam_user", ledger_reader), name
        assert Entry.objects.get(kind=kind).reason == "Agreed"


def test_a_policy_is_detached_by_its_arn(
    enter: Enter, lena: Person, ledger_reader: IAMUser, reading: IAMPolicy
) -> None:
    IAMUser.objects.update(attached_policy_arns=[reading.arn])
    where = f"{address('detach_policy', ledger_reader)}?policy={reading.arn}"

    assert "It can no longer read S3." in text_of(enter, lena, where)
    enter(lena).post(where, {"reason": "Not needed"})

    assert Entry.objects.get().details["policy"] == reading.arn


@pytest.mark.parametrize("policy", ["", "arn:aws:iam::111122223333:policy/wide", "\x00"])
def test_what_is_not_attached_cannot_be_detached(
    enter: Enter, lena: Person, ledger_reader: IAMUser, policy: str
) -> None:
    where = address("detach_policy", ledger_reader)

    assert enter(lena).get(where, {"policy": policy}).status_code == 404


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("rename_iam_user", {"user_name": "x" * 65}, "1 to 64 letters"),
        ("rename_iam_user", {"user_name": "OTHER"}, "upper and lower case count as the same"),
        ("rename_iam_user", {"user_name": "a b"}, "1 to 64 letters"),
        ("change_path", {"path": "portal"}, "begins and ends with a slash"),
        ("change_path", {"path": "/elsewhere/"}, "outside your team&#x27;s path"),
        ("set_boundary", {"permissions_boundary": "arn:aws:iam::111122223333:policy/wide"}, "Select a valid choice"),
        ("set_boundary", {"permissions_boundary": ""}, "that the team must have"),
        ("attach_policy", {"policies": "arn:aws:iam::111122223333:policy/wide"}, "Select a valid choice"),
        ("attach_policy", {"policies": ""}, "This field is required"),
        ("add_to_group", {"groups": ""}, "This field is required"),
    ],
)
def test_what_is_refused_is_said_at_the_field_and_what_was_typed_stays(
    enter: Enter, lena: Person, acme_prod: Account, ledger_reader: IAMUser, wide: IAMPolicy, limit: IAMPolicy,
    name: str, fields: dict[str, str], sentence: str,
) -> None:  # fmt: skip
    factories.iam_user(acme_prod, "other")

    text = enter(lena).post(address(name, ledger_reader), fields | {"reason": "typed before"}).content.decode()

    assert sentence in text
    assert "typed before" in text
    assert not Entry.objects.exists()


DIALOGS = (
    "rename_iam_user", "change_path", "set_boundary", "boundary_difference", "attach_policy", "policy_difference",
    "group_difference",
)  # fmt: skip


@pytest.mark.parametrize("name", DIALOGS)
@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, who: str, name: str
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(address(name, ledger_reader)).status_code == 403
    assert client.post(address(name, ledger_reader), {"user_name": "x", "reason": "x"}).status_code == 403
    assert not Entry.objects.exists()


# What is offered


def test_a_lead_is_offered_what_the_envelope_names_and_an_owner_all_of_the_account(
    enter: Enter, lena: Person, olive: Person, ledger_reader: IAMUser, reading: IAMPolicy, wide: IAMPolicy,
    limit: IAMPolicy,
) -> None:  # fmt: skip
    where = address("attach_policy", ledger_reader)

    assert (reading.arn in text_of(enter, lena, where), wide.arn in text_of(enter, lena, where)) == (True, False)
    assert wide.arn in text_of(enter, olive, where)
    where = address("set_boundary", ledger_reader)
    assert (limit.arn in text_of(enter, lena, where), wide.arn in text_of(enter, lena, where)) == (True, False)
    assert wide.arn in text_of(enter, olive, where)


def test_forms_say_how_much_room_there_is(
    enter: Enter, olive: Person, acme_prod: Account, ledger_reader: IAMUser
) -> None:
    for number in range(7):
        factories.group_membership(ledger_reader, factories.iam_group(acme_prod, f"group-{number}"))
    IAMUser.objects.update(attached_policy_arns=[f"arn:aws:iam::aws:policy/{number}" for number in range(3)])
    Account.objects.update(summary={"Users": 4998, "UsersQuota": 5000}, read_at=database_now(), source="get_user")

    assert "8 of 10 groups." in text_of(enter, olive, address("add_to_group", ledger_reader))
    assert "3 of 10 policies." in text_of(enter, olive, address("attach_policy", ledger_reader))
    assert "4,998 of 5,000 IAM users." in text_of(enter, olive, reverse("create_iam_user"))


# What they say beforehand


def test_for_htmx_the_difference_alone_is_told(
    enter: Enter, olive: Person, ledger_reader: IAMUser, wide: IAMPolicy, administrators: IAMGroup
) -> None:
    IAMGroup.objects.filter(pk=administrators.pk).update(attached_policy_arns=[wide.arn])
    for name, chosen in (
        ("policy_difference", {"policies": wide.arn}),
        ("group_difference", {"groups": "administrators"}),
    ):
        text = text_of(enter, olive, address(name, ledger_reader), chosen, **HTMX)

        assert "It can now do everything, IAM included." in text
        assert 'data-tone="danger"' in text
        assert "<form" not in text


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_javascript_the_form_comes_again_with_the_difference(
    enter: Enter, lena: Person, ledger_reader: IAMUser, reading: IAMPolicy, method: str
) -> None:
    where = address("policy_difference", ledger_reader)
    asked = {"policies": reading.arn, "reason": "typed before"}

    text = getattr(enter(lena), method)(where, asked).content.decode()

    assert "It can now read S3." in text
    assert f'<option value="{reading.arn}" selected>' in text
    assert f'action="{address("attach_policy", ledger_reader)}"' in text
    assert "typed before" in text
    assert not Entry.objects.exists()


def test_nothing_is_told_of_what_one_may_not_choose(
    enter: Enter, lena: Person, ledger_reader: IAMUser, wide: IAMPolicy, administrators: IAMGroup
) -> None:
    IAMGroup.objects.filter(pk=administrators.pk).update(attached_policy_arns=[wide.arn])
    for name, chosen in (
        ("policy_difference", {"policies": wide.arn}),
        ("group_difference", {"groups": "administrators"}),
        ("boundary_difference", {"permissions_boundary": wide.arn}),
    ):
        assert "It can" not in text_of(enter, lena, address(name, ledger_reader), chosen, **HTMX)


def test_a_boundary_that_goes_is_said(enter: Enter, olive: Person, ledger_reader: IAMUser, limit: IAMPolicy) -> None:
    IAMUser.objects.update(permissions_boundary_arn=limit.arn, inline_policies={"all": document("*")})
    where = address("boundary_difference", ledger_reader)

    assert "stays the same" in text_of(enter, olive, where, {"permissions_boundary": limit.arn}, **HTMX)
    text = text_of(enter, olive, where, {"permissions_boundary": ""}, **HTMX)
    assert "The permissions boundary no longer applies: it was limit." in text
    assert "It can now change IAM." in text


def test_the_creation_says_what_it_will_be_able_to_do(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, reading: IAMPolicy, wide: IAMPolicy
) -> None:
    where, asked = reverse("create_iam_user_difference"), {"team": payments.pk, "account": acme_prod.pk}

    text = text_of(enter, lena, where, asked | {"policies": [reading.arn, wide.arn]}, **HTMX)
    assert "It can now read S3." in text
    assert "everything" not in text
    whole = enter(lena).post(where, asked | {"policies": [reading.arn], "user_name": "typed-before"}).content.decode()
    assert "It can now read S3." in whole
    assert "typed-before" in whole
    assert f'action="{reverse("create_iam_user")}"' in whole
    assert not Entry.objects.exists()


def test_an_iam_user_is_created_with_policies(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, reading: IAMPolicy
) -> None:
    fields = {"user_name": "new", "kind": "person", "team": payments.pk, "account": acme_prod.pk}

    enter(lena).post(reverse("create_iam_user"), fields | {"policies": [reading.arn]})

    assert Entry.objects.get().details["policies"] == [reading.arn]
    text = page(enter, lena, IAMUser.objects.get(user_name="new"))
    assert "Being attached" in text


# What its page says


def test_effective_access_is_told_in_words_with_where_it_comes_from(
    enter: Enter, mia: Person, ledger_reader: IAMUser, ledger_writers: IAMGroup, reading: IAMPolicy, limit: IAMPolicy
) -> None:
    IAMGroup.objects.filter(pk=ledger_writers.pk).update(attached_policy_arns=[reading.arn])
    IAMUser.objects.update(
        attached_policy_arns=["arn:aws:iam::aws:policy/NobodyReadIt"], permissions_boundary_arn=limit.arn
    )

    text = page(enter, mia, ledger_reader)

    assert "by group ledger-writers → reading" in text
    assert "Limited by the permissions boundary <b>limit</b>" in text
    assert "NobodyReadIt could allow anything" in text


def test_inline_policies_are_flagged_and_can_be_read(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    inline = {"hand-made": document("s3:GetObject"), "<b>": {"Statement": "<script>"}}
    IAMUser.objects.update(inline_policies=inline)

    text = page(enter, lena, ledger_reader)

    assert "Inline: nobody else can see or reuse it." in text
    # PostgreSQL keeps the elements of a document in an order of its own.
    assert "&quot;Action&quot;: &quot;s3:GetObject&quot;" in text
    assert "<script>&quot;" not in text
    assert "&lt;script&gt;" in text


def test_what_is_on_its_way_is_shown_in_place(
    enter: Enter, lena: Person, ledger_reader: IAMUser, reading: IAMPolicy, limit: IAMPolicy, acme_prod: Account
) -> None:
    old = factories.iam_policy(acme_prod, "old", document=document("sqs:SendMessage"))
    IAMUser.objects.update(attached_policy_arns=[old.arn])
    what: dict[str, Any] = {"by": lena, "iam_user": ledger_reader, "at": database_now()}
    attach_policy(policy_arn=reading.arn, **what)
    detach_policy(policy_arn=old.arn, **what)
    change_boundary(policy_arn=limit.arn, **what)
    rename_iam_user(user_name="ledger-keeper", **what)

    text = page(enter, lena, ledger_reader)

    for words in ("Being attached", "Being detached", "Set boundary <b>limit</b>", "Rename <b>ledger-keeper</b>"):
        assert words in text, words


def test_what_lies_outside_the_envelope_is_said(
    enter: Enter, lena: Person, ledger_reader: IAMUser, administrators: IAMGroup, wide: IAMPolicy, limit: IAMPolicy
) -> None:
    words = "Outside the envelope of team Payments"
    IAMUser.objects.update(permissions_boundary_arn=limit.arn)
    assert words not in page(enter, lena, ledger_reader)

    for change in ({"path": "/elsewhere/"}, {"permissions_boundary_arn": ""}, {"attached_policy_arns": [wide.arn]}):
        before = {name: getattr(IAMUser.objects.get(), name) for name in change}
        IAMUser.objects.update(**change)
        assert page(enter, lena, ledger_reader).count(words) == 1, change
        IAMUser.objects.update(**before)
    factories.group_membership(ledger_reader, administrators)
    assert page(enter, lena, ledger_reader).count(words) == 1


def test_after_a_move_to_another_team_what_lies_outside_its_envelope_is_said(
    enter: Enter, olive: Person, lena: Person, platform: Team, ledger_reader: IAMUser
) -> None:
    """Those who may assign in the whole organization move whatever it holds; a lead of both only what fits."""
    factories.envelope(platform, path="/portal/acme/platform/")
    factories.membership(lena, Duty.LEAD, of=platform.organization, team=platform)
    where = f"{reverse('assign_iam_users')}?iam_user={ledger_reader.pk}"

    enter(lena).post(where, {"iam_user": ledger_reader.pk, "team": platform.pk})
    assert not Entry.objects.exists()
    with pytest.raises(OutsideEnvelope):
        assign_iam_users(by=lena, iam_users=[ledger_reader], team=platform, at=database_now())
    enter(olive).post(where, {"iam_user": ledger_reader.pk, "team": platform.pk})

    text = page(enter, olive, IAMUser.objects.get(team=platform))
    # Its path and account, its group.
    assert text.count("Outside the envelope of team Platform") == 2


def test_a_page_with_ten_large_policies_stays_light(
    enter: Enter, olive: Person, acme_prod: Account, ledger_reader: IAMUser
) -> None:
    arns = [factories.iam_policy(acme_prod, f"policy-{number}", document=document("*")).arn for number in range(10)]
    IAMUser.objects.update(attached_policy_arns=arns, inline_policies={"long": {"Id": "x" * 100_000}})

    assert len(page(enter, olive, ledger_reader)) < 60_000


@pytest.mark.parametrize(("who", "offers"), [("olive", True), ("lena", True), ("hugo", False), ("mia", False)])
def test_it_offers_only_what_one_may_do(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, reading: IAMPolicy, limit: IAMPolicy,
    who: str, offers: bool,
) -> None:  # fmt: skip
    IAMUser.objects.update(attached_policy_arns=[reading.arn])

    text = page(enter, request.getfixturevalue(who), ledger_reader)

    for name in ("rename_iam_user", "change_path", "set_boundary", "attach_policy", "detach_policy"):
        assert (address(name, ledger_reader) in text) is offers, name


def test_a_lead_is_offered_no_boundary_where_the_team_must_have_none(
    enter: Enter, lena: Person, olive: Person, ledger_reader: IAMUser
) -> None:
    link = f'href="{address("set_boundary", ledger_reader)}"'
    assert link not in page(enter, lena, ledger_reader)
    assert link in page(enter, olive, ledger_reader)
