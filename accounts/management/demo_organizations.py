"""The demo: two organizations, their people, teams and AWS accounts. It may be loaded again at any time.

What was decided since stays in the ledger, which cannot be deleted; the accounts in the embedded AWS begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from accounts.management.demo_drift import load_drift
from accounts.management.readings import read_now
from accounts.models import (
    Account,
    AccountImport,
    Duty,
    Envelope,
    IAMGroup,
    IAMPolicy,
    Membership,
    Organization,
    Person,
    Team,
)
from accounts.usecases.organizations import create_organization
from portal.aws import embedded
from portal.aws.embedded import NotLoaded
from portal.ledger.clock import database_now

PASSWORD = "gatehouse-demo"  # noqa: S105 -- the demo exists with the embedded AWS only, and README says it


# Something was decided since.
FOUNDED_BEFORE = timedelta(days=1)


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of an organization, with one duty, perhaps for a team."""

    organization: str
    email: str
    name: str
    duty: Duty
    team: str = ""


@dataclass(frozen=True)
class DemoEnvelope:
    """What a team's lead may hand out: groups and policies of these names, in these accounts, under the team's path."""

    organization: str
    team: str
    accounts: Sequence[str]
    groups: Sequence[str]
    policies: Sequence[str] = ()


TEAMS = {"acme": ("Payments", "Platform", "Data"), "globex": ("Core",)}
PEOPLE = (
    DemoPerson("acme", "olive@acme.test", "Olive Ormond", Duty.OWNER),
    DemoPerson("acme", "lena@acme.test", "Lena Lindqvist", Duty.LEAD, "Payments"),
    DemoPerson("acme", "hugo@acme.test", "Hugo Haas", Duty.HELPDESK),
    DemoPerson("acme", "mia@acme.test", "Mia Moreau", Duty.MEMBER, "Payments"),
    DemoPerson("acme", "ada@acme.test", "Ada Abara", Duty.AUDITOR),
    DemoPerson("globex", "oskar@globex.test", "Oskar Olsen", Duty.OWNER),
)
ENVELOPES = (
    DemoEnvelope(
        "acme",
        "Payments",
        ("acme-prod", "acme-dev"),
        ("ledger-readers", "ledger-writers", "payments-deployers", "payments-operators", "support-readonly"),
        ("ledger-read", "ledger-write", "payments-operate"),
    ),
    DemoEnvelope("acme", "Platform", ("acme-prod", "acme-dev"), ("platform-engineers", "platform-readers")),
    DemoEnvelope("globex", "Core", ("globex-main",), ("operators", "readers")),
)


class CannotLoad(Exception):
    """The demo cannot be loaded now; says what to do."""


def load_demo() -> Iterator[str]:
    """Load the demo, and tell of each step in a line.

    :raises CannotLoad: when the embedded AWS is not there, or an account could not be read.
    """
    load_people(at=database_now() - FOUNDED_BEFORE)
    yield f"{len(PEOPLE)} people in {len(TEAMS)} organizations."
    try:
        embedded.load_demo()
    except NotLoaded as error:
        raise CannotLoad(f"{error} Start it with `make run` and load the demo again.") from error
    for account in _accounts():
        yield f"{account}: {_read(account)} IAM users."
    load_envelopes()
    yield f"{len(ENVELOPES)} envelopes."
    drifted = load_drift(at=database_now())
    if drifted is not None:
        _read(drifted.account)
        yield f"{drifted} has drifted in {drifted.account}."


@transaction.atomic
def load_people(*, at: datetime) -> None:
    """The organizations with their teams and people; what is there already stays, but for the passwords."""
    for person in PEOPLE:
        if person.duty == Duty.OWNER and not Organization.objects.filter(slug=person.organization).exists():
            create_organization(
                by=None, name=person.organization.title(), owner_email=person.email, owner_name=person.name, at=at
            )
    for slug, names in TEAMS.items():
        for name in names:
            organization = Organization.objects.get(slug=slug)
            Team.objects.get_or_create(organization=organization, slug=slugify(name), defaults={"name": name})
    people = [_person(person) for person in PEOPLE]
    _set_passwords(people)


def _person(demo: DemoPerson) -> Person:
    person, _ = Person.objects.get_or_create(email=demo.email, defaults={"name": demo.name})
    EmailAddress.objects.get_or_create(user=person, email=demo.email, defaults={"verified": True, "primary": True})
    organization = Organization.objects.get(slug=demo.organization)
    team = Team.objects.filter(organization=organization, name=demo.team).first()
    Membership.objects.get_or_create(person=person, organization=organization, duty=demo.duty, team=team, ended_at=None)
    return person


def _set_passwords(people: Iterable[Person]) -> None:
    """Give all of them one hash of the one password: each would take a fifth of a second, to make and to check."""
    known = {person.password for person in people}
    good = next((encoded for encoded in known if check_password(PASSWORD, encoded)), None) or make_password(PASSWORD)
    for person in people:
        if person.password != good or not person.is_active:
            person.password, person.is_active = good, True
            person.save(update_fields=["password", "is_active"])


def _accounts() -> list[Account]:
    return [
        Account.objects.update_or_create(
            account_id=demo.account_id,
            organization=Organization.objects.get(slug=demo.organization),
            # Nobody tests these: the embedded AWS makes their roles, and each asks for its external id.
            defaults={
                "name": demo.alias,
                "role_arn": demo.role_arn,
                "external_id": demo.external_id,
                "state": Account.State.CONNECTED,
            },
        )[0]
        for demo in embedded.demo_accounts()
    ]


def _read(account: Account) -> int:
    try:
        account_import = read_now(account).account_import
    except ValidationError:
        raise CannotLoad(f"{account} is being read just now: load the demo again in a minute.") from None
    if account_import.state != AccountImport.State.APPLIED:
        raise CannotLoad(f"{account} could not be read: {account_import.error}")
    return account_import.counts["iam_users"]


@transaction.atomic
def load_envelopes() -> None:
    """What the teams' leads may hand out; it takes the groups, which the imports bring."""
    for demo in ENVELOPES:
        team = Team.objects.get(organization__slug=demo.organization, name=demo.team)
        accounts = Account.objects.filter(organization=team.organization, name__in=demo.accounts)
        path = f"/portal/{demo.organization}/{team.slug}/"
        envelope, _ = Envelope.objects.get_or_create(organization=team.organization, team=team, defaults={"path": path})
        envelope.accounts.set(accounts)
        envelope.groups.set(IAMGroup.objects.present().filter(account__in=accounts, group_name__in=demo.groups))
        policies = IAMPolicy.objects.present().filter(account__in=accounts, policy_name__in=demo.policies)
        envelope.policies.set(policies)
