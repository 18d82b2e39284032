"""Reading the accounts of an AWS organization: all of them stand in the rows afterwards, or none does."""

from collections.abc import Callable
from datetime import datetime

import pytest
from moto.organizations.models import organizations_backends

from accounts import tasks
from accounts.importers import discovery as discovering
from accounts.models import Account, AccountDiscovery, DiscoveredAccount, Source
from portal.aws.simulator import demo_organization, hub
from tests import factories
from tests.aws.server import AWS
from tests.aws.strict import Fault

AT = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 -- moto's times are UTC without a zone
HOSTILE = "<b>x</b>{{ 7|add:7 }}\u202etxt\x00"

Run = Callable[..., AccountDiscovery]


@pytest.fixture
def run(aws: AWS, acme_prod: Account) -> Run:
    """Discover through Acme's first account, which is the management account of the demo's AWS organization."""
    demo_organization.load_organization(at=AT)
    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)

    def run(via: Account = acme_prod) -> AccountDiscovery:
        row = factories.account_discovery(via)
        tasks.discover_accounts(row.pk)
        row.refresh_from_db()
        return row

    return run


def add(count: int) -> None:
    backend = organizations_backends["111122223333"][hub.PARTITION]
    for number in range(count):
        demo_organization.add_member(backend, f"9{number:011d}", f"more-{number}", joined_at=AT)


def rows() -> list[tuple[str, str, str]]:
    values = DiscoveredAccount.objects.order_by("member_account_id")
    return list(values.values_list("member_account_id", "name", "status"))


def test_every_account_stands_in_the_rows_with_its_source_and_time(run: Run, acme_prod: Account) -> None:
    found = run()

    assert (found.state, found.error) == ("applied", "")
    assert (found.aws_organization_id, found.management_account_id) == ("o-acmedemo001", "111122223333")
    assert rows() == [
        ("111122223333", "acme-prod", "ACTIVE"),
        ("222233334444", "acme-dev", "ACTIVE"),
        ("444455556666", "acme-sandbox", "ACTIVE"),
        ("555566667777", "acme-data", "ACTIVE"),
        ("666677778888", "acme-archive", "SUSPENDED"),
    ]
    told = DiscoveredAccount.objects.get(name="acme-data")
    assert (told.email, told.source, told.account) == ("aws+acme-data@acme.test", Source.LIST_ACCOUNTS, acme_prod)
    assert told.read_at is not None


def test_a_second_reading_follows_what_changed_and_keeps_the_rows(run: Run) -> None:
    run()
    before = dict(DiscoveredAccount.objects.values_list("member_account_id", "pk"))
    backend = organizations_backends["111122223333"][hub.PARTITION]
    backend.accounts = [account for account in backend.accounts if account.id != "666677778888"]
    backend.accounts[3].name = "acme-lake"
    add(1)

    run()

    assert rows()[3:] == [("555566667777", "acme-lake", "ACTIVE"), ("900000000000", "more-0", "ACTIVE")]
    after = dict(DiscoveredAccount.objects.values_list("member_account_id", "pk"))
    assert after["555566667777"] == before["555566667777"]


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("fault", [Fault.DENY, Fault.UNKNOWN])
def test_a_page_that_fails_concludes_nothing(aws: AWS, run: Run, nth: int, fault: Fault) -> None:
    run()
    add(40)
    before = list(DiscoveredAccount.objects.order_by("pk").values())
    aws.faults.inject("ListAccounts", fault, nth=nth)

    failed = run()

    assert (failed.state, bool(failed.error)) == ("failed", True)
    assert list(DiscoveredAccount.objects.order_by("pk").values()) == before


def test_a_member_says_which_account_to_ask(aws: AWS, run: Run, acme_dev: Account) -> None:
    aws.account(acme_dev.account_id, external_id=acme_dev.external_id)

    failed = run(acme_dev)

    assert failed.state == "failed"
    assert "The management account is 111122223333" in failed.error
    assert not rows()


def test_an_account_that_is_alone_says_so(aws: AWS, run: Run, globex_main: Account) -> None:
    aws.account(globex_main.account_id, external_id=globex_main.external_id)

    assert "belongs to no AWS organization" in run(globex_main).error


def test_a_role_that_may_not_says_what_to_add(aws: AWS, run: Run) -> None:
    aws.faults.inject("DescribeOrganization", Fault.DENY)

    assert "with the permission to list accounts" in run().error


def test_a_door_that_is_shut_is_told_as_it_is(aws: AWS, run: Run, acme_dev: Account) -> None:
    failed = run(acme_dev)

    assert "could not be entered" in failed.error
    acme_dev.refresh_from_db()
    assert acme_dev.state == Account.State.CONNECTED


def test_names_are_peoples_words_and_are_kept_as_far_as_they_can_be(run: Run) -> None:
    backend = organizations_backends["111122223333"][hub.PARTITION]
    demo_organization.load_organization(at=AT)
    backend.accounts[3].name = HOSTILE

    run()

    name = DiscoveredAccount.objects.get(member_account_id="555566667777").name
    assert name == HOSTILE.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def test_one_that_was_taken_for_dead_applies_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    remember = discovering._remember

    def and_meanwhile(discovery: AccountDiscovery, organization: object) -> None:
        AccountDiscovery.objects.filter(pk=discovery.pk).update(state="failed", error="Taken for dead.")
        remember(discovery, organization)  # type: ignore[arg-type]

    monkeypatch.setattr(discovering, "_remember", and_meanwhile)

    assert (run().state, rows()) == ("failed", [])


def test_what_nobody_foresaw_is_an_outcome_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(discovering, "_apply", fails)

    failed = run()

    assert (failed.state, "ZeroDivisionError" in failed.error) == ("failed", True)


def test_the_second_of_two_bells_finds_nothing_to_do(aws: AWS, run: Run) -> None:
    row = run()
    calls = len(aws.trace)

    tasks.discover_accounts(row.pk)

    assert len(aws.trace) == calls
