"""Teams and their envelopes: who sees and changes what, with which sign-in, warned of what."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Duty, Envelope, IAMGroup, IAMUser, Organization, Person, Team
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

PASSWORD = "correct horse battery staple"
ADMINISTER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def fresh(enter: Enter, olive: Person) -> Client:
    """Olive's browser, in which she has just said her password again."""
    olive.set_password(PASSWORD)
    olive.save()
    client = enter(olive)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def sent(envelope: None, acme_prod: Account, ledger_writers: IAMGroup) -> dict[str, Any]:
    """The form of Payments' envelope as it stands, and what is changed in it."""
    return {
        "accounts": [acme_prod.pk], "groups": [ledger_writers.pk], "path": "/portal/acme/payments/", "version": 1,
        "iam_user_limit": 12, "tag_rules": "cost-center = 4711, 4712\r\nstage", "reason": "Grew",
    }  # fmt: skip


def test_the_list_counts_people_and_iam_users(
    enter: Enter, olive: Person, lena: Person, mia: Person, payments: Team, platform: Team, ledger_reader: IAMUser,
    acme_prod: Account, core: Team,
) -> None:  # fmt: skip
    factories.envelope(payments, iam_user_limit=12)
    factories.iam_user(acme_prod, "gone", team=payments, gone_at=factories.READ_AT)

    answer = enter(olive).get(reverse("teams"))

    rows = {row.record.name: row for row in answer.context["table"].page.object_list}
    assert set(rows) == {"Payments", "Platform"}
    assert (rows["Payments"].get_cell("leads"), rows["Payments"].get_cell("people")) == ("Lena", 2)
    assert rows["Payments"].get_cell("iam_users") == "1 of 12 IAM users"
    assert rows["Platform"].get_cell("iam_users") == "0 IAM users"


def test_the_page_says_the_envelope_in_words(
    enter: Enter, lena: Person, mia: Person, payments: Team, sent: dict[str, Any], ledger_reader: IAMUser
) -> None:
    rules = [{"key": "cost-center", "values": ["4711", "4712"]}]
    Envelope.objects.update(tag_rules=rules, iam_user_limit=1)

    page = text(enter(lena).get(reverse("team_detail", args=[payments.pk])))

    for words in (
        "acme-prod",
        "ledger-writers",
        "/portal/acme/payments/",
        "cost-center = 4711 or 4712",
        "Mia",
        "all it may",
    ):
        assert words in page
    assert "Change envelope" not in page
    assert "Rename team" not in page


def test_a_lead_sees_the_own_team_alone(enter: Enter, lena: Person, platform: Team, core: Team) -> None:
    client = enter(lena)

    assert "Platform" not in text(client.get(reverse("teams")))
    for team in (platform, core):
        assert client.get(reverse("team_detail", args=[team.pk])).status_code == 404


def test_a_member_of_one_who_leads_another_sees_no_envelope_but_the_own(
    enter: Enter, lena: Person, acme: Organization, platform: Team
) -> None:
    factories.membership(lena, Duty.MEMBER, of=acme, team=platform)
    factories.envelope(platform, path="/hidden-from-lena/")

    page = text(enter(lena).get(reverse("team_detail", args=[platform.pk])))

    assert "hidden-from-lena" not in page


def test_a_team_is_created_and_renamed(enter: Enter, olive: Person, acme: Organization) -> None:
    client = enter(olive)

    client.post(reverse("create_team"), {"name": "Data", "organization": "9", "slug": "evil"})
    team = Team.objects.get()
    again = client.post(reverse("create_team"), {"name": "DATA"})
    client.post(reverse("rename_team", args=[team.pk]), {"name": "{0.__class__}<b>"})

    assert (team.name, team.slug, team.organization) == ("Data", "data", acme)
    assert "has this name already" in text(again)
    page = text(client.get(reverse("team_detail", args=[team.pk])))
    assert "{0.__class__}&lt;b&gt;" in page


# The envelope


def test_an_owner_changes_it_after_a_fresh_sign_in(fresh: Client, payments: Team, sent: dict[str, Any]) -> None:
    address = reverse("change_envelope", args=[payments.pk])
    assert "ledger-writers" in text(fresh.get(address))

    answer = fresh.post(address, sent)

    assert answer.headers["Location"] == reverse("team_detail", args=[payments.pk])
    changed = Envelope.objects.get()
    assert (changed.version, changed.iam_user_limit) == (2, 12)
    assert changed.tag_rules == [{"key": "cost-center", "values": ["4711", "4712"]}, {"key": "stage", "values": []}]
    form = text(fresh.get(address))
    assert "cost-center = 4711, 4712 stage" in form
    assert 'name="version" value="2"' in form


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_fresh_sign_in_it_stays(
    enter: Enter, olive: Person, payments: Team, sent: dict[str, Any], method: str
) -> None:
    olive.set_password(PASSWORD)
    olive.save()

    answer = getattr(enter(olive), method)(reverse("change_envelope", args=[payments.pk]), sent)

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert Envelope.objects.get().version == 1


def test_nobody_else_gets_as_far_as_the_form(
    enter: Enter, lena: Person, hugo: Person, acme: Organization, payments: Team, sent: dict[str, Any]
) -> None:
    anna = factories.member("anna@acme.test", Duty.ADMIN, of=acme)

    for somebody in (lena, hugo, anna):
        assert enter(somebody).get(reverse("change_envelope", args=[payments.pk])).status_code == 403
        # Its fields are those of asking for a change, too.
        fields = enter(somebody).get(reverse("envelope_fields", args=[payments.pk]))
        assert fields.status_code == (403 if somebody == hugo else 200)
        assert enter(somebody).post(reverse("change_envelope", args=[payments.pk]), sent).status_code == 403
    assert Envelope.objects.get().version == 1


def test_what_carries_more_is_shown_before_it_is_saved(
    fresh: Client, payments: Team, sent: dict[str, Any], administrators: IAMGroup
) -> None:
    IAMGroup.objects.filter(pk=administrators.pk).update(inline_policies={"all": ADMINISTER})
    address = reverse("change_envelope", args=[payments.pk])
    sent["groups"].append(administrators.pk)

    warned = fresh.post(address, sent)
    warning = "Group administrators in acme-prod (111122223333) lets an IAM user do everything, IAM included."
    assert warning in text(warned)
    assert 'name="acknowledged"' in text(warned)
    assert fresh.post(address, sent | {"acknowledged": ["Something else"]}).status_code == 200
    assert Envelope.objects.get().version == 1
    saved = fresh.post(address, sent | {"acknowledged": [warning]})

    assert saved.status_code == 302
    assert administrators in Envelope.objects.get().groups.all()


def test_a_form_of_an_older_version_is_refused(fresh: Client, payments: Team, sent: dict[str, Any]) -> None:
    address = reverse("change_envelope", args=[payments.pk])

    first, second = fresh.post(address, sent), fresh.post(address, sent | {"iam_user_limit": 13})

    assert (first.status_code, second.status_code) == (302, 200)
    assert "meanwhile" in text(second)
    assert Entry.objects.count() == 1


def test_things_of_another_organization_are_not_there(
    fresh: Client, payments: Team, sent: dict[str, Any], globex_main: Account
) -> None:
    group, policy = factories.iam_group(globex_main, "operators"), factories.iam_policy(globex_main, "theirs")
    address = reverse("change_envelope", args=[payments.pk])

    for name, value in (
        ("accounts", globex_main.pk), ("groups", group.pk), ("policies", policy.pk),
        ("permissions_boundary", policy.pk), ("groups", 987654), ("accounts", "\x00"), ("policies", "9" * 5000),
        ("groups", "{0.__class__}"),
    ):  # fmt: skip
        assert fresh.post(address, sent | {name: [value]}).status_code == 404, name
    assert Envelope.objects.get().version == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("path", "nope", "begins and ends with a slash"), ("path", "", "required"), ("iam_user_limit", "-1", "0"),
     ("iam_user_limit", "many", "whole number"), ("tag_rules", "aws:x = 1", "people cannot set"),
     ("tag_rules", "= 1", "no tag can have"), ("tag_rules", "<script>", "no tag can have"),
     ("tag_rules", "a = 1\nA = 2", "upper and lower case")],
)  # fmt: skip
def test_bad_input_is_told_at_its_field_and_the_rest_is_kept(
    fresh: Client, payments: Team, sent: dict[str, Any], field: str, value: str, words: str
) -> None:
    answer = fresh.post(reverse("change_envelope", args=[payments.pk]), sent | {field: value})

    page = text(answer)
    assert answer.status_code == 200
    assert words in page
    assert "<script> " not in page
    assert "Grew" in page
    assert Envelope.objects.get().version == 1


def test_a_group_whose_account_was_left_out_is_told(
    fresh: Client, payments: Team, sent: dict[str, Any], acme_dev: Account
) -> None:
    answer = fresh.post(reverse("change_envelope", args=[payments.pk]), sent | {"accounts": [acme_dev.pk]})

    assert "not among the chosen AWS accounts" in text(answer)


def test_choosing_an_account_offers_its_groups_and_keeps_the_rest(
    fresh: Client, payments: Team, sent: dict[str, Any], acme_prod: Account, acme_dev: Account, globex_main: Account
) -> None:
    factories.iam_group(acme_dev, "dev-operators")
    factories.iam_group(globex_main, "theirs")
    factories.iam_policy(acme_dev, "dev-limit")
    asked = sent | {"accounts": [acme_prod.pk, acme_dev.pk, globex_main.pk, "x", "9" * 5000]}

    part = text(fresh.get(reverse("envelope_fields", args=[payments.pk]), asked))

    assert "dev-operators" in part
    assert "dev-limit" in part
    assert "theirs" not in part
    assert 'value="12"' in part
    assert "cost-center = 4711, 4712" in part
    assert part.count("checked") == 3


def test_other_fields_change_nothing_of_an_envelope(
    fresh: Client, payments: Team, platform: Team, sent: dict[str, Any]
) -> None:
    fresh.post(
        reverse("change_envelope", args=[payments.pk]),
        sent | {"team": platform.pk, "organization": 9, "by": 1, "at": "2020-01-01", "content": "x"},
    )

    assert Envelope.objects.get().team == payments
    assert Entry.objects.get().by_name == "Olive"


# Where it holds: the forms of IAM users


def test_the_form_of_a_new_iam_user_says_what_is_asked(
    enter: Enter, lena: Person, payments: Team, sent: dict[str, Any], ledger_reader: IAMUser, acme_prod: Account
) -> None:
    rules = [{"key": "cost-center", "values": ["4711"]}, {"key": "stage", "values": []}]
    Envelope.objects.update(tag_rules=rules, iam_user_limit=1)
    client = enter(lena)

    page = text(client.get(reverse("create_iam_user")))
    tags = text(client.get(reverse("tag_iam_user", args=[ledger_reader.pk])))
    new = {"user_name": "max", "kind": "person", "team": payments.pk, "account": acme_prod.pk}
    refused = text(client.post(reverse("create_iam_user"), new))

    asked = "IAM users of team Payments bear cost-center = 4711; stage = any value."
    assert asked in page
    assert asked in tags
    assert "It has 1 of 1 IAM users." in page
    assert "cost-center = 4711</textarea>" in page
    assert "which is all it may have" in refused
    assert "stage = any value. An owner can change that." in text(
        client.post(reverse("tag_iam_user", args=[ledger_reader.pk]), {"tags": "cost-center = 4711"})
    )
