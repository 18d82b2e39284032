"""`manage.py demo`: what is there afterwards, loaded once or again."""

from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import envelope
from accounts.models import (
    AccessKey,
    Account,
    AccountImport,
    Drift,
    Envelope,
    IAMUser,
    Membership,
    Organization,
    Person,
    Team,
)
from accounts.usecases.drift import adopt_drift, revert_drift
from portal.ledger import chain
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Entry
from tests.aws.server import AWS

PASSWORD = "gatehouse-demo"


@pytest.fixture
def embedded(aws: AWS, db: None, settings: Any) -> AWS:
    """The embedded AWS, as `make run` starts it."""
    settings.AWS_IS_EMBEDDED = True
    return aws


@pytest.fixture
def demo(embedded: AWS) -> str:
    """The demo, loaded; what the command said."""
    return loaded()


def loaded() -> str:
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """What must be the same however often the demo is loaded."""
    return {
        "people": sorted(Person.objects.values_list("pk", "email", "password")),
        "memberships": sorted(Membership.objects.values_list("pk", "person", "duty")),
        "teams": sorted(Team.objects.values_list("pk", "name")),
        "accounts": sorted(Account.objects.values_list("pk", "account_id", "external_id")),
        "IAM users": sorted(IAMUser.objects.values_list("pk", "user_name", "user_id")),
        "envelopes": sorted(Envelope.objects.values_list("pk", "groups__group_name", "accounts__name")),
        "entries": sorted(Entry.objects.values_list("sequence", "hash")),
    }


def test_it_holds_what_the_contract_names(demo: str) -> None:
    assert set(Organization.objects.values_list("slug", flat=True)) == {"acme", "globex"}
    assert dict(Account.objects.values_list("account_id", "name")) == {
        "111122223333": "acme-prod",
        "222233334444": "acme-dev",
        "333344445555": "globex-main",
    }
    assert set(Account.objects.values_list("state", flat=True)) == {Account.State.CONNECTED}
    duties = Membership.objects.values_list("person__email", "duty", "organization__slug", "team__name")
    assert set(duties) == {
        ("olive@acme.test", "owner", "acme", None),
        ("lena@acme.test", "lead", "acme", "Payments"),
        ("hugo@acme.test", "helpdesk", "acme", None),
        ("mia@acme.test", "member", "acme", "Payments"),
        ("ada@acme.test", "auditor", "acme", None),
        ("oskar@globex.test", "owner", "globex", None),
    }
    assert 50 <= IAMUser.objects.count() <= 70
    assert AccessKey.objects.exists()
    assert "acme-prod (111122223333)" in demo


def test_mia_owns_her_iam_user_in_both_accounts(demo: str) -> None:
    mine = IAMUser.objects.filter(owner__email="mia@acme.test", user_name="mia")

    assert {iam_user.account.name for iam_user in mine} == {"acme-prod", "acme-dev"}
    assert {iam_user.team.name for iam_user in mine if iam_user.team} == {"Payments"}


def test_lena_may_hand_out_the_ledgers_groups(demo: str) -> None:
    lena, payments = Person.objects.get(email="lena@acme.test"), Team.objects.get(name="Payments")
    account = Account.objects.get(name="acme-prod")

    groups = set(envelope.groups_for(by=lena, team=payments, account=account).values_list("group_name", flat=True))

    assert groups >= {"ledger-readers", "ledger-writers", "payments-deployers", "support-readonly"}
    assert "administrators" not in groups
    assert envelope.path_of(payments) == "/portal/acme/payments/"


def test_everybody_signs_in(demo: str) -> None:
    for person in Person.objects.all():
        client = Client()
        client.post("/auth/login/", {"login": person.email, "password": PASSWORD})
        assert client.get("/").status_code == 200, person
        assert EmailAddress.objects.get(user=person).verified, person


def test_loading_it_again_changes_nothing(demo: str) -> None:
    before = everything()

    loaded()

    assert everything() == before


def test_loading_it_again_mends_what_was_tried_out(embedded: AWS, demo: str) -> None:
    mia = Person.objects.get(email="mia@acme.test")
    mia.set_password("another-password")
    mia.is_active = False
    mia.save()
    embedded.boto3("111122223333").create_user(UserName="tried-out")

    loaded()

    mia.refresh_from_db()
    assert mia.is_active
    assert mia.check_password(PASSWORD)
    names = {user["UserName"] for user in embedded.boto3("111122223333").list_users()["Users"]}
    assert "mia" in names
    assert "tried-out" not in names


def test_the_ledger_is_whole_and_tells_who_made_the_organizations(demo: str) -> None:
    loaded()

    for organization in Organization.objects.all():
        assert chain.verify(organization) is None
        assert Entry.objects.of(organization).earliest("sequence").kind == "accounts.organization.created"


def test_one_iam_user_has_drifted_and_waits_for_a_decision(embedded: AWS, demo: str) -> None:
    drifts = {drift.attribute: drift for drift in Drift.objects.open()}

    assert {drift.iam_user.user_name for drift in drifts.values()} == {"invoice-mailer"}
    decided, held = ({**(value or {})}.get("cost-center") for value in (drifts["tags"].decided, drifts["tags"].held))
    assert (decided, held) == ("4711", "4712")
    assert drifts["group_names"].held == ["ledger-readers", "platform-readers"]
    lena = Person.objects.get(email="lena@acme.test")
    revert_drift(by=lena, drifts=list(drifts.values()), reason="Ours", at=database_now())
    deliver_due()
    in_aws = embedded.boto3("111122223333").list_user_tags(UserName="invoice-mailer")["Tags"]
    assert {"Key": "cost-center", "Value": "4711"} in in_aws


def test_what_was_adopted_drifts_again_when_it_is_loaded_again(demo: str) -> None:
    olive = Person.objects.get(email="olive@acme.test")
    adopt_drift(by=olive, drifts=list(Drift.objects.open()), reason="It may stay", at=database_now())

    loaded()

    held: dict[str, str] = Drift.objects.open().values_list("held", flat=True).get(attribute="tags") or {}
    assert held["cost-center"] == "4713"


def test_it_refuses_a_portal_with_another_aws(db: None, settings: Any) -> None:
    settings.AWS_IS_EMBEDDED = False

    with pytest.raises(CommandError, match="only with the embedded AWS"):
        loaded()
    assert not Person.objects.exists()


def test_without_the_embedded_aws_it_says_what_to_do(db: None, settings: Any) -> None:
    settings.AWS_IS_EMBEDDED, settings.AWS_ENDPOINT_URL = True, "http://127.0.0.1:1"

    with pytest.raises(CommandError, match="make run"):
        loaded()


def test_an_account_that_is_being_read_is_waited_for_by_the_person(demo: str) -> None:
    AccountImport.objects.filter(account__name="acme-dev").update(
        state=AccountImport.State.READING, lease_until="2100-01-01T00:00Z", finished_at=None
    )

    with pytest.raises(CommandError, match="in a minute"):
        loaded()
