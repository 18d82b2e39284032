"""Changing an envelope: by an owner, of the organization's own things, knowing what they carry."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.envelope import TagRule
from accounts.models import Account, Duty, Envelope, IAMGroup, Organization, Person, Team
from accounts.usecases.envelopes import NotAcknowledged, change_envelope, content_of
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Change = Callable[..., Envelope]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADMINISTER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ATTACH = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:Attach?serPolicy", "Resource": "*"}}
READ = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}


@pytest.fixture
def change(olive: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup, envelope: None) -> Change:
    """Olive changes the envelope of Payments in what the test says; the rest stays as it is."""

    def change(**changes: Any) -> Envelope:
        now = content_of(Envelope.objects.get(team=payments))
        told: dict[str, Any] = {name: getattr(now, name) for name in now.__dataclass_fields__}
        return change_envelope(**told | {"by": olive, "team": payments, "at": AT} | changes)

    return change


def test_it_says_before_and_after_in_words_and_counts(change: Change, acme_prod: Account, acme_dev: Account) -> None:
    policy = factories.iam_policy(acme_dev, "read", document=READ)

    changed = change(
        accounts=[acme_prod, acme_dev], policies=[policy], permissions_boundary=policy, path="/payments/",
        tag_rules=[TagRule("cost-center", ("4711", "4712")), TagRule("stage", ())], iam_user_limit=20, reason="Grew",
    )  # fmt: skip

    changed.refresh_from_db()
    assert (changed.version, changed.path, changed.iam_user_limit) == (2, "/payments/", 20)
    assert changed.tag_rules == [
        {"key": "cost-center", "values": ["4711", "4712"]}, {"key": "stage", "values": []},
    ]  # fmt: skip
    assert set(changed.accounts.all()) == {acme_prod, acme_dev}
    assert set(changed.policies.all()) == {policy}
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_name, entry.reason) == ("accounts.envelope.changed", "Payments", "Grew")
    assert entry.details == {
        "version": 2,
        "before": {
            "accounts": ["acme-prod (111122223333)"], "policies": [], "permissions_boundary": "none",
            "path": "/portal/acme/payments/", "tags": [], "IAM users": "any number",
        },
        "after": {
            "accounts": ["acme-dev (222233334444)", "acme-prod (111122223333)"],
            "policies": ["read in acme-dev (222233334444)"], "permissions_boundary": policy.arn, "path": "/payments/",
            "tags": ["cost-center = 4711 or 4712", "stage = any value"], "IAM users": "20",
        },
    }  # fmt: skip


def test_a_team_without_one_gets_one(olive: Person, platform: Team, acme_dev: Account) -> None:
    changed = change_envelope(
        by=olive, team=platform, accounts=[acme_dev], groups=[], policies=[], permissions_boundary=None, path="/",
        tag_rules=[], iam_user_limit=None, at=AT,
    )  # fmt: skip

    assert (changed.team, changed.version) == (platform, 2)


@pytest.mark.parametrize("who", ["anna", "lena", "hugo", "ada", "mia", "oskar"])
def test_nobody_but_an_owner_changes_it(
    request: pytest.FixtureRequest, change: Change, who: str, acme: Organization, leaves_nothing: Block
) -> None:
    is_anna = who == "anna"
    by = factories.member("anna@acme.test", Duty.ADMIN, of=acme) if is_anna else request.getfixturevalue(who)

    with leaves_nothing(NotThere if who == "oskar" else NotAllowed):
        change(by=by, iam_user_limit=3)


def test_things_of_another_organization_are_not_there(
    change: Change, acme_prod: Account, globex_main: Account, core: Team, leaves_nothing: Block
) -> None:
    group, policy = factories.iam_group(globex_main, "operators"), factories.iam_policy(globex_main, "theirs")

    for told in (
        {"accounts": [acme_prod, globex_main]}, {"groups": [group]}, {"policies": [policy]},
        {"permissions_boundary": policy}, {"team": core},
    ):  # fmt: skip
        with leaves_nothing(NotThere):
            change(**told)


def test_groups_and_policies_are_of_the_chosen_accounts(
    change: Change, acme_dev: Account, acme_prod: Account, leaves_nothing: Block
) -> None:
    elsewhere, policy = factories.iam_group(acme_dev, "operators"), factories.iam_policy(acme_dev, "limit")
    gone = factories.iam_group(acme_prod, "gone", gone_at=AT)

    for field, value in (
        ("groups", [elsewhere]), ("policies", [policy]), ("permissions_boundary", policy), ("groups", [gone]),
    ):  # fmt: skip
        with leaves_nothing(ValidationError) as refused:
            change(**{field: value})
        assert list(refused.value.message_dict) == [field]
    with leaves_nothing(ValidationError, match="not among the chosen"):
        change(accounts=[acme_dev])


@pytest.mark.parametrize(
    ("field", "value"),
    [("path", ""), ("path", "payments"), ("path", "/a b/"), ("path", "/" + "x" * 600 + "/"), ("path", "/\x00/"),
     ("iam_user_limit", -1), ("iam_user_limit", 10**9),
     ("tag_rules", [TagRule("", ())]), ("tag_rules", [TagRule("aws:x", ())]), ("tag_rules", [TagRule("x" * 129, ())]),
     ("tag_rules", [TagRule("Gatehouse:entry", ())]), ("tag_rules", [TagRule("a", ("x" * 257,))]),
     ("tag_rules", [TagRule("a", ("<b>",))]), ("tag_rules", [TagRule("Team", ()), TagRule("team", ())]),
     ("tag_rules", [TagRule(f"k{number}", ()) for number in range(50)]),
     ("tag_rules", [TagRule("a", tuple(str(number) for number in range(51)))])],
)  # fmt: skip
def test_what_can_be_none_is_refused_at_its_field(
    change: Change, field: str, value: object, leaves_nothing: Block
) -> None:
    with leaves_nothing(ValidationError) as refused:
        change(**{field: value})
    assert list(refused.value.message_dict) == [field]


def test_a_change_that_is_none_and_one_of_an_older_version_are_refused(change: Change, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="says already"):
        change()
    change(iam_user_limit=3, version=1)
    with leaves_nothing(ValidationError, match="meanwhile"):
        change(iam_user_limit=4, version=1)


# What it would carry


@pytest.mark.parametrize(
    ("document", "words"),
    [(ADMINISTER, "lets an IAM user do everything, IAM included."),
     (ATTACH, "lets an IAM user attach any policy to IAM users."),
     ({"Statement": "?"}, "could allow anything")],
)  # fmt: skip
def test_what_carries_more_is_warned_of_before_it_is_saved(
    change: Change, acme_prod: Account, ledger_writers: IAMGroup, document: dict[str, Any], words: str,
    leaves_nothing: Block,
) -> None:  # fmt: skip
    policy = factories.iam_policy(acme_prod, "Wide", document=document)
    by_arn = factories.iam_group(acme_prod, "attached", attached_policy_arns=[policy.arn])
    inline = factories.iam_group(acme_prod, "inline", inline_policies={"wide": document})

    for told in ({"policies": [policy]}, {"groups": [ledger_writers, by_arn]}, {"groups": [ledger_writers, inline]}):
        with leaves_nothing(NotAcknowledged) as refused:
            change(**told)
        (warning,) = refused.value.warnings
        assert words in warning
        with leaves_nothing(NotAcknowledged):
            change(**told, acknowledged=["Yes, I know"])

        assert change(**told, acknowledged=[warning]).version > 1


def test_what_is_harmless_or_was_there_before_is_not_warned_of(
    change: Change, acme_prod: Account, ledger_writers: IAMGroup
) -> None:
    wide = factories.iam_policy(acme_prod, "Wide", document=ADMINISTER)
    harmless = factories.iam_policy(acme_prod, "Narrow", document=READ)
    Envelope.objects.get().policies.add(wide)

    assert change(policies=[wide, harmless]).version == 2


def test_the_boundary_does_not_hide_what_a_group_carries(
    change: Change, acme_prod: Account, administrators: IAMGroup, leaves_nothing: Block
) -> None:
    limit = factories.iam_policy(acme_prod, "limit", document=READ)
    IAMGroup.objects.filter(pk=administrators.pk).update(inline_policies={"all": ADMINISTER})
    administrators.refresh_from_db()

    with leaves_nothing(NotAcknowledged):
        change(groups=[administrators], permissions_boundary=limit)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_it_at_once_the_second_is_told(change: Change) -> None:
    outcomes = together(2, lambda number: change(iam_user_limit=number, version=1))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Envelope", "ValidationError"]
    assert (Envelope.objects.get().version, Entry.objects.count()) == (2, 1)
