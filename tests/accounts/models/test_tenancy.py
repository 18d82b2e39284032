"""No row points into another organization or AWS account, whoever writes it and however: the database refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from accounts.models import Account, Duty, Envelope, IAMUser, Organization, Person, tenancy
from portal.ledger.models import Delivery, Entry, Head
from portal.ledger.record import Subject, Target, record
from portal.secrets.models import SealedSecret
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POSTGRESQL_NAME_LENGTH = 63

World = dict[type[models.Model], models.Model]
Case = tuple[type[models.Model], str]


def our_models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in {"accounts", "ledger", "secrets", "federation"}:
            yield model


def binds(model: type[models.Model], name: str) -> bool:
    """Whether the model has a foreign key of this name, `organization` or `account`."""
    return any(field.name == name and isinstance(field, models.ForeignKey) for field in model._meta.concrete_fields)


def references(bound: str) -> list[Case]:
    """Every foreign key to a row that itself belongs to one organization (or account), read off the models anew."""
    return [
        (model, field.name)
        for model in our_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and binds(field.related_model, bound)
        and (binds(model, bound) or model._meta.auto_created)
        and not (bound == "account" and model._meta.auto_created)
    ]


def homes() -> list[Case]:
    """Every column that says to which organization or account a row belongs."""
    return [
        (model, name)
        for model in our_models()
        for name in ("organization", "account")
        if binds(model, name) and not model._meta.auto_created
    ]


def case_id(case: object) -> str:
    return case.__name__ if isinstance(case, type) else str(case)


def asked_for(user: IAMUser, person: Person) -> list[models.Model]:
    asked = factories.request(user, by=person)
    return [asked, factories.group_grant(user, by=person, request=asked)]


def rotated(user: IAMUser, person: Person) -> list[models.Model]:
    old, new = factories.access_key(user), factories.access_key(user)
    put = factories.key_destination(user, by=person)
    whose = {"recipient": person, "started_by": person, "destination": put}
    rotation = factories.rotation(old, new_key=new, state="made", **whose)
    return [put, rotation, factories.used_signature(rotation)]


def reminded(user: IAMUser, person: Person) -> list[models.Model]:
    key = factories.access_key(user)
    feed = factories.calendar_feed(user.organization, person)
    return [factories.key_reminder(key, person), factories.key_snooze(key, by=person), feed]


def of_keys(user: IAMUser, person: Person) -> list[models.Model]:
    key = factories.access_key(user)
    ask = factories.rotation_ask(key, by=person, recipient=person)
    return [*rotated(user, person), *reminded(user, person), ask, factories.mfa_registration(user, owner=person)]


def populated(organization: Organization, account: Account, person: Person) -> World:
    """One row of every model, all about one AWS account of one organization."""
    team = factories.team(organization, f"Team of {account}")
    group, policy = factories.iam_group(account, "group"), factories.iam_policy(account, "policy")
    envelope = factories.envelope(
        team, accounts=[account], groups=[group], policies=[policy], permissions_boundary=policy
    )
    user = factories.iam_user(account, "user", team=team)
    entry = recorded(organization, account, user)
    rows: list[models.Model] = [
        team,
        group,
        policy,
        envelope,
        user,
        *(account, entry),
        sealed(organization, person),
        *links(envelope),
        factories.membership(person, Duty.LEAD, of=organization, team=team),
        factories.iam_role(account, "role"),
        factories.access_key(user),
        factories.login_profile(user),
        factories.mfa_device(user),
        factories.group_membership(user, group),
        *read_from(account),
        factories.drift(user),
        *bulk(organization, person, user, entry),
        factories.iam_credential(user),
        factories.iam_provider(account, "provider"),
        factories.iam_user_record(user),
        factories.ownership_rule(organization, account=account, team=team),
        factories.invitation(organization, f"guest-{account}@acme.test", by=person, team=team),
        *leaving(organization, person, user, entry),
        *asked_for(user, person),
        *of_keys(user, person),
        Delivery.objects.get(entry=entry),
        Head.objects.get(organization=organization),
    ]
    return {type(row): row for row in rows + decided_since(organization, account)}


def decided_since(organization: Organization, account: Account) -> list[models.Model]:
    """Rows of what is decided about people, teams and limits."""
    return [factories.boundary(account)]


def read_from(account: Account) -> list[models.Model]:
    """What was read of the account, and through it."""
    return [
        factories.account_import(account),
        factories.account_discovery(account),
        factories.connection_test(account),
        factories.discovered_account(account, "999988887777"),
    ]


def leaving(organization: Organization, person: Person, user: IAMUser, entry: Entry) -> list[models.Model]:
    """That the person is offboarded, with one IAM user."""
    offboarding = factories.offboarding(organization, person)
    steps = {"disabled": entry, "enabled": entry, "deleted": entry}
    return [
        offboarding,
        offboarding.memberships.through._default_manager.filter(offboarding=offboarding.pk)[0],
        factories.offboarded_iam_user(offboarding, user, kind="person", **steps),
    ]


def links(envelope: Envelope) -> list[models.Model]:
    """The rows that join the envelope to its one account, group and policy."""
    through = (Envelope.accounts.through, Envelope.groups.through, Envelope.policies.through)
    return [model._default_manager.get(envelope_id=envelope.pk) for model in through]


def bulk(organization: Organization, person: Person, user: IAMUser, entry: Entry) -> list[models.Model]:
    """A bulk change with a row that was decided by this entry."""
    bulk_change = factories.bulk_change(person, organization)
    row = factories.bulk_row(bulk_change, user)
    row.entries.add(entry)
    return [bulk_change, row, row.entries.through._default_manager.get(bulkrow_id=row.pk)]


def recorded(organization: Organization, account: Account, user: IAMUser) -> Entry:
    """An entry with a delivery, and with it the organization's head."""
    with transaction.atomic():
        return record(
            organization=organization,
            kind="tests.made",
            by=None,
            subject=Subject("iam_user", str(user.pk), user.arn),
            at=AT,
            deliver=(Target(account.account_id, user.arn),),
        )


def sealed(organization: Organization, person: Person) -> SealedSecret:
    """A sealed secret, of no content."""
    return SealedSecret.objects.create(
        organization=organization,
        recipient=person,
        purpose="tests",
        bound_to="nothing",
        ciphertext=b"c",
        nonce=b"n",
        wrapped_key=b"k",
        key_version="1",
        created_at=AT,
        expires_at=AT.replace(hour=13),
    )


@pytest.fixture
def here(acme: Organization, acme_prod: Account, olive: Person) -> World:
    return populated(acme, acme_prod, olive)


@pytest.fixture
def next_door(acme: Organization, acme_dev: Account, hugo: Person) -> World:
    """Another AWS account of the same organization."""
    return populated(acme, acme_dev, hugo)


@pytest.fixture
def abroad(globex: Organization, globex_main: Account, oskar: Person) -> World:
    """Another organization."""
    return populated(globex, globex_main, oskar)


def point(row: models.Model, name: str, target: models.Model) -> None:
    """Write the reference in plain SQL, past all of Django."""
    column, key = column_of(row, name), column_of(row, row._meta.pk.name)
    statement = f"UPDATE {row._meta.db_table} SET {column} = %s WHERE {key} = %s"
    run(statement, [reference(target), prepared(row)[key]])


def insert_copy(row: models.Model, name: str, target: models.Model) -> None:
    """Insert the row once more in plain SQL, with another reference."""
    values = prepared(row) | {column_of(row, name): reference(target)}
    values.pop(column_of(row, row._meta.pk.name))
    columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    run(f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({marks})", list(values.values()))


def column_of(row: models.Model, name: str) -> str:
    """The column of a field."""
    return str(row._meta.get_field(name).get_attname_column()[1])  # type: ignore[union-attr] # concrete fields alone


def target_of(row: models.Model, name: str) -> type[models.Model]:
    """The model that a foreign key points at."""
    model = row._meta.get_field(name).related_model
    assert isinstance(model, type)
    return model


def reference(target: models.Model) -> Any:
    """The row's key as the database takes it."""
    return target._meta.pk.get_db_prep_save(target.pk, connection)


def prepared(row: models.Model) -> dict[str, Any]:
    """The row's columns as the database takes them."""
    return {
        str(field.column): field.get_db_prep_save(getattr(row, field.attname), connection)
        for field in row._meta.concrete_fields
    }


def run(statement: str, parameters: list[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_the_world_of_these_tests_has_a_row_of_every_bound_model(here: World) -> None:
    bound = {model for model, _ in references("organization") + references("account") + homes()}

    assert bound <= set(here)
    assert {Envelope.accounts.through, Envelope.groups.through, Entry, Delivery} <= bound


@pytest.mark.parametrize(("model", "name"), references("organization"), ids=case_id)
def test_a_row_cannot_point_into_another_organization(
    here: World, abroad: World, model: type[models.Model], name: str
) -> None:
    row = here[model]
    target = abroad[target_of(row, name)]

    with pytest.raises(IntegrityError, match="guard_"):
        point(row, name, target)
    with pytest.raises(IntegrityError, match="guard_"):
        insert_copy(row, name, target)


@pytest.mark.parametrize(("model", "name"), references("account"), ids=case_id)
def test_a_row_cannot_point_into_another_account(
    here: World, next_door: World, model: type[models.Model], name: str
) -> None:
    row = here[model]
    target = next_door[target_of(row, name)]

    with pytest.raises(IntegrityError, match="guard_"):
        point(row, name, target)
    with pytest.raises(IntegrityError, match="guard_"):
        insert_copy(row, name, target)


@pytest.mark.parametrize(("model", "name"), homes(), ids=case_id)
def test_a_row_never_moves(
    here: World, next_door: World, abroad: World, acme_dev: Account, globex: Organization, model: Any, name: str
) -> None:
    row, elsewhere = here[model], {"organization": globex, "account": acme_dev}[name]

    # The ledger's own guard is as good, and speaks first.
    with pytest.raises(IntegrityError, match=r"guard_|never changed"):
        point(row, name, elsewhere)


def test_django_is_held_by_the_guards_too(here: World, abroad: World) -> None:
    envelope, account = here[Envelope], abroad[Account]
    assert isinstance(envelope, Envelope)
    assert isinstance(account, Account)

    with pytest.raises(IntegrityError, match="guard_"), transaction.atomic():
        envelope.accounts.add(account)


def test_what_is_allowed_is_not_refused(here: World, next_door: World) -> None:
    """Else a guard that refused everything would pass every test above."""
    for row in (*here.values(), *next_door.values()):
        if not isinstance(row, Entry | Head):
            row.save()


def test_names_are_unique_and_not_cut_off_by_postgresql() -> None:
    names = [guard.name for guard in tenancy.guards()]

    assert len(set(names)) == len(names)
    assert max(map(len, names)) + len("_insert") <= POSTGRESQL_NAME_LENGTH


@pytest.mark.django_db
def test_installing_again_changes_nothing() -> None:
    before = triggers()

    tenancy.install(connection)

    assert triggers() == before
    assert len(before) >= len(list(tenancy.guards()))


def triggers() -> set[str]:
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%%'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'guard_%%'",
    }
    with connection.cursor() as cursor:
        cursor.execute(query[connection.vendor], [])
        return {name for (name,) in cursor.fetchall()}
