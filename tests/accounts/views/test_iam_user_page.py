"""The page of one IAM user, and its parts."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases import iam_users
from portal.ledger.models import Delivery
from tests.accounts.views.conftest import Enter, plain

pytestmark = pytest.mark.usefixtures("envelope")


def text_of(enter: Enter, person: Person, name: str, iam_user: IAMUser) -> str:
    return enter(person).get(reverse(name, args=[iam_user.pk])).content.decode()


def test_it_shows_what_aws_holds_with_source_and_time(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    text = text_of(enter, lena, "iam_user", ledger_reader)

    assert "In AWS" in text
    assert "ledger-writers" in text
    assert "cost-center" in text
    assert "AKIALEDGERREADER0001"[:-8] in text
    assert 'data-source="account authorization details"' in text
    assert '<time datetime="2026-11-01T12:00:00+00:00"' in text


def test_the_portals_own_tag_is_not_peoples(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    ledger_reader.tags = {"gatehouse:entry": "f00"}
    ledger_reader.save(update_fields=["tags"])

    assert "gatehouse:entry" not in text_of(enter, lena, "iam_user", ledger_reader)


@pytest.mark.parametrize(
    ("who", "offers"), [("olive", True), ("lena", True), ("hugo", False), ("ada", False), ("mia", False)]
)
def test_it_offers_only_what_one_may_do(
    request: pytest.FixtureRequest, enter: Enter, ledger_reader: IAMUser, who: str, offers: bool
) -> None:
    text = text_of(enter, request.getfixturevalue(who), "iam_user", ledger_reader)

    assert ("Delete IAM user" in text) is offers
    assert ("Edit tags" in text) is offers
    assert ("Add to group" in text) is offers


@pytest.mark.parametrize("name", ["iam_user", "iam_user_facts", "iam_user_state"])
def test_for_another_organization_it_does_not_exist(
    enter: Enter, oskar: Person, ledger_reader: IAMUser, name: str
) -> None:
    client = enter(oskar)

    answer = client.get(reverse(name, args=[ledger_reader.pk]))
    of_nobody = client.get(reverse(name, args=[987654]))

    assert answer.status_code == 404
    assert plain(answer) == plain(of_nobody)


def test_for_another_teams_lead_it_does_not_exist(enter: Enter, lena: Person, platform_robot: IAMUser) -> None:
    assert enter(lena).get(reverse("iam_user", args=[platform_robot.pk])).status_code == 404


def test_what_is_on_its_way_is_shown_in_place_and_asks_again(
    enter: Enter, lena: Person, acme_prod: Account, payments: Team, ledger_writers: IAMGroup
) -> None:
    iam_user = iam_users.create_iam_user(
        by=lena, team=payments, account=acme_prod, user_name="new-one", kind="person", at=timezone.now(),
        group_names=["ledger-writers"],
    )  # fmt: skip

    text = text_of(enter, lena, "iam_user", iam_user)

    assert "Pending" in text
    assert "Being added" in text
    assert f'hx-get="{reverse("iam_user_facts", args=[iam_user.pk])}"' in text
    assert "Not read from AWS yet" in text


def test_a_part_that_has_come_to_rest_asks_no_more(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    assert "hx-trigger" not in text_of(enter, lena, "iam_user_facts", ledger_reader)
    assert "hx-trigger" not in text_of(enter, lena, "iam_user_state", ledger_reader)


def test_a_stuck_decision_says_what_happened(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied UntagUser: not allowed."
    )

    text = text_of(enter, lena, "iam_user", ledger_reader)

    assert "Stuck: AWS denied it" in text
    assert "AWS denied UntagUser" in text
    assert "hx-trigger" not in text_of(enter, lena, "iam_user_facts", ledger_reader)


@pytest.mark.parametrize(
    ("who", "may_change", "may_view"), [("olive", True, True), ("ada", False, True), ("lena", False, False)]
)
def test_a_stuck_decision_says_what_to_do_and_who_does_it(
    request: pytest.FixtureRequest, enter: Enter, lena: Person, ledger_reader: IAMUser, who: str, may_change: bool,
    may_view: bool,
) -> None:  # fmt: skip
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied UntagUser: not allowed."
    )

    text = text_of(enter, request.getfixturevalue(who), "iam_user", ledger_reader)

    assert "can allow it for the portal" in text
    assert ("An owner or admin of your organization decides that." not in text) is may_change
    assert (reverse("delivery", args=[Delivery.objects.get().pk]) in text) is may_view


def test_a_waiting_decision_says_that_nothing_needs_doing(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    Delivery.objects.update(
        state=Delivery.State.WAITING,
        not_before=timezone.now() + timedelta(minutes=1),
        error="AWS could not do UntagUser now: no answer arrived.",
    )

    text = text_of(enter, lena, "iam_user", ledger_reader)

    assert "no answer arrived. Nothing needs doing: the portal tries again by itself." in text


def test_what_was_given_up_before_it_arrived_is_not_said_to_have_been_there(
    enter: Enter, lena: Person, ledger_reader: IAMUser
) -> None:
    IAMUser.objects.update(gone_at=timezone.now())
    assert "Not in AWS any more" in text_of(enter, lena, "iam_user", ledger_reader)

    IAMUser.objects.update(user_id="")
    assert "Never reached AWS" in text_of(enter, lena, "iam_user", ledger_reader)


def test_the_history_says_who_and_why(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now(), reason="The project ended")

    text = text_of(enter, lena, "iam_user", ledger_reader)

    assert "Set tags" in text
    assert "Lena" in text
    assert "The project ended" in text


def test_under_debug_too_it_is_told_by_the_portals_own_page(
    enter: Enter, oskar: Person, ledger_reader: IAMUser, settings: Any
) -> None:
    settings.DEBUG = True

    answer = enter(oskar).get(reverse("iam_user", args=[ledger_reader.pk]))

    assert answer.status_code == 404
    assert "URLconf" not in answer.content.decode()
