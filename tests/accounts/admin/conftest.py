"""Worlds to look at from the records room: one row of every model, of one team in one organization."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Duty, IAMUser, Membership, Organization, Person, Team
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, Target, record
from portal.secrets.models import SealedSecret
from tests import factories

Enter = Callable[[Person], Client]
# By the names of the models, as the records room's addresses have them.
World = dict[str, Model]

NOT_A_SECRET = b"CANARY-contents-of-a-sealed-secret"


def world(of: Organization, number: int, *, team: Team | None = None) -> World:
    """A team with an AWS account of its own and one row of everything in it; `number` keeps its names apart."""
    team = team or factories.team(of, f"Team{number}")
    somebody = factories.member(f"somebody{number}@{of.slug}.test", Duty.MEMBER, of=of, team=team)
    account = factories.account(of, f"{number:012d}", name=f"{of.slug}-{number}")
    iam_user = factories.iam_user(account, f"{of.slug}-user-{number}", team=team, owner=somebody, tags={"of": of.slug})
    group = factories.iam_group(account, f"{of.slug}-group-{number}")
    policy = factories.iam_policy(account, f"{of.slug}-policy-{number}")
    delivery = _delivery(of, iam_user, somebody)
    offboarding = factories.offboarding(of, somebody)
    return {
        "organization": of,
        "team": team,
        "envelope": factories.envelope(
            team, path=f"/{of.slug}/", accounts=[account], groups=[group], permissions_boundary=policy
        ),
        "membership": Membership.objects.get(person=somebody),
        "person": somebody,
        "account": account,
        "iamuser": iam_user,
        "iamgroup": group,
        "iampolicy": policy,
        "iamrole": factories.iam_role(account, f"{of.slug}-role-{number}"),
        "accountimport": factories.account_import(account),
        "accountdiscovery": factories.account_discovery(account),
        "connectiontest": factories.connection_test(account),
        "discoveredaccount": factories.discovered_account(account, f"{number + 1:012d}"),
        "bulkchange": (bulk_change := factories.bulk_change(somebody, of)),
        "bulkrow": factories.bulk_row(bulk_change, iam_user),
        "invitation": factories.invitation(of, f"guest{number}@{of.slug}.test", by=somebody, team=team),
        "iamprovider": factories.iam_provider(account, f"{of.slug}-provider-{number}"),
        "boundary": factories.boundary(account, policy=policy),
        "ownershiprule": factories.ownership_rule(of, account=account, team=team),
        **_hanging_on(iam_user, somebody),
        "offboarding": offboarding,
        "offboardediamuser": factories.offboarded_iam_user(offboarding, iam_user),
        "entry": delivery.entry,
        "delivery": delivery,
        "sealedsecret": _sealed_secret(of, somebody),
    }


def _hanging_on(iam_user: IAMUser, somebody: Person) -> World:
    return {
        "accesskey": (access_key := factories.access_key(iam_user)),
        "keydestination": factories.key_destination(iam_user, by=somebody),
        "keyreminder": factories.key_reminder(access_key, somebody),
        "keysnooze": factories.key_snooze(access_key, by=somebody),
        "calendarfeed": factories.calendar_feed(iam_user.organization, somebody),
        "rotation": (rotation := factories.rotation(access_key, recipient=somebody, started_by=somebody)),
        "usedsignature": factories.used_signature(rotation),
        "rotationask": factories.rotation_ask(access_key, by=somebody, recipient=somebody),
        "loginprofile": factories.login_profile(iam_user),
        "mfadevice": factories.mfa_device(iam_user),
        "mfaregistration": factories.mfa_registration(iam_user),
        "drift": factories.drift(iam_user),
        "iamcredential": factories.iam_credential(iam_user),
        "iamuserrecord": factories.iam_user_record(iam_user),
        "request": factories.request(iam_user, by=somebody),
        "groupgrant": factories.group_grant(iam_user, by=somebody),
    }


def _delivery(of: Organization, iam_user: IAMUser, by: Person) -> Delivery:
    with transaction.atomic():
        entry = record(
            organization=of,
            kind="accounts.iam_user.created",
            by=by,
            subject=Subject("iam_user", str(iam_user.pk), iam_user.arn),
            at=factories.READ_AT,
            deliver=(Target(lane=iam_user.account.account_id, subject=iam_user.arn),),
        )
    return entry.deliveries.get()


def _sealed_secret(of: Organization, recipient: Person) -> SealedSecret:
    return SealedSecret.objects.create(
        organization=of,
        recipient=recipient,
        purpose="access key",
        bound_to=f"of {recipient.email}",
        ciphertext=NOT_A_SECRET,
        nonce=b"n" * 12,
        wrapped_key=NOT_A_SECRET,
        key_version="v1",
        created_at=factories.READ_AT,
        expires_at=factories.READ_AT + timedelta(hours=1),
    )


@dataclass(frozen=True)
class Worlds:
    """Two worlds of Acme, Lena's and one that she has nothing to do with, and one of Globex."""

    payments: World
    platform: World
    globex: World


@pytest.fixture
def worlds(acme: Organization, globex: Organization, payments: Team, lena: Person, oskar: Person) -> Worlds:
    return Worlds(world(acme, 1001, team=payments), world(acme, 1002), world(globex, 917003554466))


@pytest.fixture
def enter() -> Enter:
    """A browser in which the person is signed in."""

    def entered(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return entered


def models() -> list[str]:
    """The names of all models in the records room."""
    return sorted(model._meta.model_name or "" for model in admin.site._registry)


def address(name: str, view: str = "changelist", *arguments: Any) -> str:
    """Where a model's list, or a row's page, is in the records room."""
    (model,) = (model for model in admin.site._registry if model._meta.model_name == name)
    return reverse(f"admin:{model._meta.app_label}_{name}_{view}", args=arguments)
