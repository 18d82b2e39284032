"""The proof of an offboarding: what AWS holds, read again, each step, and plainly what is not done."""

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts import importers
from accounts.models import Account, AccountImport, IAMUser, Offboarding, Organization, Person, Team
from accounts.policy.denial import DENY_ALL_TEXT, POLICY_NAME
from accounts.usecases.offboarding import follow_offboardings, offboard_person, read_again
from accounts.views.proof import Proof
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet
from tests.accounts.views.conftest import Enter
from tests.aws.server import AWS

NAME = "mia"


@pytest.fixture
def key(aws: AWS, prod: Account, payments: Team, mia: Person) -> str:
    """Mia's IAM user, with an access key and a password, in AWS and as the portal last read it; the key's id."""
    iam = aws.boto3(prod.account_id)
    user = iam.create_user(UserName=NAME)["User"]
    key_id: str = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    age(aws, prod, NAME)
    made = iam.get_user(UserName=NAME)["User"]["CreateDate"]
    row = factories.iam_user(prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=made)
    factories.login_profile(row)
    return key_id


@pytest.fixture
def begun(olive: Person, mia: Person, acme: Organization, key: str) -> Offboarding:
    return offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=database_now())


def read_all(by: Person, offboarding: Offboarding) -> None:
    """Read again, and be the worker that does it."""
    read_again(by=by, offboarding=offboarding, at=database_now())
    for pk in AccountImport.objects.open().order_by("pk").values_list("pk", flat=True):
        importers.run(pk)


def proof_of(offboarding: Offboarding, by: Person) -> Proof:
    return Proof(Offboarding.objects.get(pk=offboarding.pk), by=by, at=timezone.now())


def delete_all(offboarding: Offboarding) -> None:
    late = database_now() + timedelta(days=8)
    follow_offboardings(at=late)
    # By the database's own clock: what is read afterwards must be later.
    Offboarding.objects.filter(pk=offboarding.pk).update(deletion_decided_at=database_now())
    Delivery.objects.filter(state="due").update(created_at=database_now())
    deliver_until_quiet()
    follow_offboardings(at=database_now())


def test_while_it_is_on_its_way_it_says_so(olive: Person, begun: Offboarding) -> None:
    proof = proof_of(begun, olive)

    assert proof.left == ["mia in acme-prod: Disable IAM user is pending."]
    assert (proof.verdict.words, proof.verdict.tone) == ("Not done: 1", "danger")


def test_disabled_means_that_nothing_works_and_not_that_nothing_is_left(olive: Person, begun: Offboarding) -> None:
    deliver_until_quiet()

    proof = proof_of(begun, olive)

    assert proof.left == []
    assert proof.verdict.words == "Nothing of theirs works any more"
    [holding] = proof.holdings
    assert (holding.shown.words, holding.steps[0].shown.words) == ("Disabled", "Delivered")


def test_each_fact_says_from_where_and_when(olive: Person, begun: Offboarding, key: str) -> None:
    deliver_until_quiet()
    before = timezone.now()
    read_all(olive, begun)

    [holding] = proof_of(begun, olive).holdings

    facts = {fact.words: fact for fact in holding.facts}
    assert facts[f"Access key {key}"].value == "inactive"
    assert facts[f"Access key {key}"].known.source == "access key list"
    assert facts[f"Policy {POLICY_NAME}"].value == "denies everything"
    assert facts["Console password"].value == "none"
    assert all(fact.known.at is not None for fact in holding.facts)
    assert holding.known.source == "IAM user"
    assert holding.known.at is not None
    assert holding.known.at > before - timedelta(seconds=1)


def test_a_key_that_works_again_out_of_band_is_named(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding, key: str
) -> None:
    deliver_until_quiet()
    iam = aws.boto3(prod.account_id)
    iam.update_access_key(UserName=NAME, AccessKeyId=key, Status="Active")
    new = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]

    assert proof_of(begun, olive).left == []
    read_all(olive, begun)

    # AWS's times are whole seconds, so either may come first.
    assert sorted(proof_of(begun, olive).left) == [
        f"mia in acme-prod: Access key {name} is active." for name in sorted([key, new])
    ]


def test_so_are_a_denial_that_is_gone_and_a_new_password(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding
) -> None:
    deliver_until_quiet()
    iam = aws.boto3(prod.account_id)
    iam.delete_user_policy(UserName=NAME, PolicyName=POLICY_NAME)
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    read_all(olive, begun)

    assert proof_of(begun, olive).left == [
        "mia in acme-prod: Console password is there.",
        f"mia in acme-prod: Policy {POLICY_NAME} is not there.",
    ]

    weaker = DENY_ALL_TEXT.replace('"Action":"*"', '"Action":"s3:*"')
    iam.put_user_policy(UserName=NAME, PolicyName=POLICY_NAME, PolicyDocument=weaker)
    read_all(olive, begun)
    assert f"mia in acme-prod: Policy {POLICY_NAME} is not there." in proof_of(begun, olive).left


UNREAD = (
    "acme-prod (111122223333): not read since the last of theirs went and 5 minutes passed. "
    "Read it again: before that AWS may show what was."
)


def let_minutes_pass(minutes: int) -> None:
    """As if they had gone that much earlier."""
    IAMUser.objects.exclude(gone_at=None).update(gone_at=F("gone_at") - timedelta(minutes=minutes))


def test_nothing_is_left_only_once_every_account_was_read_since(olive: Person, begun: Offboarding) -> None:
    deliver_until_quiet()
    delete_all(begun)

    proof = proof_of(begun, olive)
    assert proof.offboarding.state == "concluded"
    assert proof.left == [UNREAD]
    assert proof.holdings[0].known.source == "DeleteUser, not read since"

    let_minutes_pass(6)
    read_all(olive, begun)
    proof = proof_of(begun, olive)
    assert (proof.left, proof.verdict.words) == ([], "Nothing of theirs is left")
    assert proof.holdings[0].known.source == "account authorization details"


def test_a_reading_that_may_be_behind_proves_nothing(olive: Person, begun: Offboarding) -> None:
    """F09: an import does not believe what it sees within the quiet time, so neither does the proof."""
    deliver_until_quiet()
    delete_all(begun)
    let_minutes_pass(4)
    read_all(olive, begun)

    assert proof_of(begun, olive).left == [UNREAD]


def test_one_that_was_made_again_is_not_taken_for_it_and_is_seen(
    aws: AWS, prod: Account, olive: Person, mia: Person, begun: Offboarding
) -> None:
    deliver_until_quiet()
    delete_all(begun)
    let_minutes_pass(6)
    aws.boto3(prod.account_id).create_user(UserName=NAME)
    read_all(olive, begun)
    IAMUser.objects.filter(user_name=NAME, gone_at=None).update(owner=mia)

    assert proof_of(begun, olive).left == ["mia in acme-prod is theirs and was found after this began."]


def test_an_account_that_cannot_be_entered_is_named(olive: Person, begun: Offboarding, acme: Organization) -> None:
    deliver_until_quiet()
    delete_all(begun)
    let_minutes_pass(6)
    factories.account(acme, "222233334444", name="acme-dev", state=Account.State.UNREACHABLE)
    read_all(olive, begun)

    assert proof_of(begun, olive).left == [
        "acme-dev (222233334444): cannot be entered. What AWS holds there was not read yet."
    ]


def test_what_is_stuck_is_named_with_its_error(olive: Person, begun: Offboarding) -> None:
    Delivery.objects.update(state="stuck", stuck_kind="denied", error="AWS denied PutUserPolicy: not allowed.")

    assert proof_of(begun, olive).left == [
        "mia in acme-prod: Disable IAM user is stuck: AWS denied it. AWS denied PutUserPolicy: not allowed."
    ]


def test_an_application_without_another_owner_keeps_it_from_being_done(
    aws: AWS, prod: Account, payments: Team, olive: Person, mia: Person, acme: Organization
) -> None:
    shop = factories.iam_user(prod, "shop", team=payments, owner=mia, kind="application", purpose="Sells")
    factories.access_key(shop, access_key_id="AKIASHOP000000000001")
    begun = offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=database_now())

    assert proof_of(begun, olive).left == ["shop in acme-prod needs another owner. It has: AKIASHOP000000000001."]
    IAMUser.objects.filter(pk=shop.pk).update(owner=olive)
    assert proof_of(begun, olive).left == []


def test_what_was_found_later_is_named(prod: Account, olive: Person, mia: Person, begun: Offboarding) -> None:
    deliver_until_quiet()
    factories.iam_user(prod, "mia-two", owner=mia)

    assert proof_of(begun, olive).left == ["mia-two in acme-prod is theirs and was found after this began."]


def test_who_does_not_see_all_of_it_is_told_so(
    lena: Person, olive: Person, begun: Offboarding, acme_dev: Account, platform: Team
) -> None:
    deliver_until_quiet()
    row = factories.iam_user(acme_dev, "secret-name", team=platform)
    factories.offboarded_iam_user(begun, row)

    left = proof_of(begun, lena).left

    assert left == [
        "1 AWS account of the organization is not yours to see: an owner or admin can look.",
        "1 IAM user of other teams is not yours to see: an owner or admin can look.",
    ]


# As a page and as a file


@pytest.fixture
def page(enter: Enter, olive: Person, begun: Offboarding) -> str:
    deliver_until_quiet()
    return enter(olive).get(reverse("offboarding_proof", args=[begun.pk])).content.decode()


def test_the_page_is_dated_and_has_every_step_with_its_entry(page: str, begun: Offboarding) -> None:
    year = f"{timezone.now():%B %Y}"

    for words in (
        year,
        "Nothing of theirs works any more",
        "Disable IAM user",
        "Entry 2",
        "Olive",
        "data-source",
        "arn:aws:iam::111122223333:user/",
        "Read again",
        reverse("export_offboarding_proof", args=[begun.pk, "json"]),
    ):
        assert words in page, words


def test_reading_again_begins_one_reading_and_is_shown(enter: Enter, olive: Person, begun: Offboarding) -> None:
    deliver_until_quiet()
    client, address = enter(olive), reverse("read_offboarding_again", args=[begun.pk])

    for _ in range(2):
        assert client.post(address)["Location"] == reverse("offboarding_proof", args=[begun.pk])

    assert AccountImport.objects.get().iam_user == IAMUser.objects.get()
    assert "Reading…" in client.get(reverse("offboarding_proof", args=[begun.pk])).content.decode()


def exported(enter: Enter, by: Person, offboarding: Offboarding, form: str) -> Any:
    return enter(by).get(reverse("export_offboarding_proof", args=[offboarding.pk, form]))


def test_as_json(enter: Enter, olive: Person, begun: Offboarding, key: str) -> None:
    deliver_until_quiet()

    answer = exported(enter, olive, begun, "json")

    told = json.loads(answer.content)
    assert answer["Content-Disposition"].startswith(f'attachment; filename="offboarding-acme-{begun.pk}-')
    assert answer["Cache-Control"] == "no-store"
    assert (told["person"]["email"], told["verdict"], told["not_done"]) == (
        "mia@acme.test",
        "Nothing of theirs works any more",
        [],
    )
    [iam_user] = told["iam_users"]
    assert (iam_user["steps"][0]["entry"], iam_user["steps"][0]["value"]) == (2, "Delivered")
    assert {fact["words"] for fact in iam_user["holds"]} >= {f"Access key {key}", "Console password"}


def test_as_csv_and_no_cell_of_it_is_a_formula(enter: Enter, olive: Person, begun: Offboarding) -> None:
    Delivery.objects.update(state="stuck", stuck_kind="denied", error="=cmd|' /C calc'!A0")
    Offboarding.objects.update(reason="=1+1")

    lines = list(csv.reader(exported(enter, olive, begun, "csv").content.decode().splitlines()))

    assert lines[0][:4] == ["what", "account_id", "arn", "words"]
    assert {line[0] for line in lines[1:]} == {"verdict", "not done", "IAM user", "step", "fact", "account"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)


def test_there_is_no_other_form(enter: Enter, olive: Person, begun: Offboarding) -> None:
    assert exported(enter, olive, begun, "xlsx").status_code == 404


def test_its_queries_do_not_grow(
    enter: Enter, olive: Person, mia: Person, acme: Organization, prod: Account, payments: Team,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(12):
        row = factories.iam_user(prod, f"mia-{number}", team=payments, owner=mia)
        factories.access_key(row)
        factories.login_profile(row)
    begun = offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=database_now())
    client = enter(olive)

    for name in ("offboarding", "offboarding_proof"):
        with django_assert_max_num_queries(45):
            client.get(reverse(name, args=[begun.pk]))
