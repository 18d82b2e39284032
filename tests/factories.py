"""Rows for the tests: one function per noun, which fills in what a test does not care about."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import (
    AccessKey,
    Account,
    AccountDiscovery,
    AccountImport,
    Boundary,
    BulkChange,
    BulkRow,
    CalendarFeed,
    ConnectionTest,
    DiscoveredAccount,
    Drift,
    Duty,
    Envelope,
    GroupGrant,
    GroupMembership,
    IAMCredential,
    IAMGroup,
    IAMPolicy,
    IAMProvider,
    IAMRole,
    IAMUser,
    IAMUserRecord,
    Invitation,
    KeyDestination,
    KeyReminder,
    KeySnooze,
    LoginProfile,
    Membership,
    MFADevice,
    MFARegistration,
    OffboardedIAMUser,
    Offboarding,
    Organization,
    OwnershipRule,
    Person,
    Request,
    Rotation,
    RotationAsk,
    Source,
    Team,
    UsedSignature,
)
from accounts.models.facts import TenantRow
from accounts.models.sealed import Bond, Purpose
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

# Long past: what was read then is older than every quiet time.
READ_AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_numbers = count(1)


def unique_id(prefix: str) -> str:
    """An id of AWS's form that no other row has: AIDA, AGPA, AROA or ANPA and 17 digits."""
    return f"{prefix}{next(_numbers):017d}"


def organization(name: str) -> Organization:
    """An organization; its slug is its name in lower case."""
    return Organization.objects.create(name=name, slug=name.lower())


def person(email: str, **fields: Any) -> Person:
    """Somebody who cannot sign in by a password."""
    return Person.objects.create_person(email=email, name=fields.pop("name", email.split("@")[0].title()), **fields)


def member(email: str, duty: Duty, *, of: Organization, team: Team | None = None, **fields: Any) -> Person:
    """Somebody with one duty."""
    somebody = person(email, **fields)
    membership(somebody, duty, of=of, team=team)
    return somebody


def membership(somebody: Person, duty: Duty, *, of: Organization, team: Team | None = None) -> Membership:
    """One more duty of somebody."""
    return Membership.objects.create(person=somebody, duty=duty, organization=of, team=team)


def team(of: Organization, name: str) -> Team:
    """A team without an envelope."""
    return Team.objects.create(organization=of, name=name, slug=name.lower())


def envelope(
    of: Team,
    *,
    path: str = "/",
    accounts: Iterable[Account] = (),
    groups: Iterable[IAMGroup] = (),
    policies: Iterable[IAMPolicy] = (),
    permissions_boundary: IAMPolicy | None = None,
    **fields: Any,
) -> Envelope:
    """What the team's lead may hand out."""
    row = Envelope.objects.create(
        organization=of.organization, team=of, path=path, permissions_boundary=permissions_boundary, **fields
    )
    row.accounts.set(accounts)
    row.groups.set(groups)
    row.policies.set(policies)
    return row


def account(of: Organization, account_id: str, **fields: Any) -> Account:
    """An AWS account that the portal enters by the role `gatehouse-portal`."""
    given: dict[str, Any] = {
        "name": account_id,
        "role_arn": f"arn:aws:iam::{account_id}:role/gatehouse-portal",
        "external_id": f"external-id-for-{account_id}",
        "state": Account.State.CONNECTED,
    }
    return Account.objects.create(organization=of, account_id=account_id, **given | fields)


def iam_user(of: Account, user_name: str, **fields: Any) -> IAMUser:
    """An IAM user that AWS held when it was last read, long ago."""
    given: dict[str, Any] = {"user_id": unique_id("AIDA"), "create_date": READ_AT, "decided_at": READ_AT}
    return IAMUser.objects.create(user_name=user_name, **_fact(of) | given | fields)


def undelivered_iam_user(of: Account, user_name: str, **fields: Any) -> IAMUser:
    """An IAM user that was decided and that AWS does not have yet."""
    return IAMUser.objects.create(organization=of.organization, account=of, user_name=user_name, **fields)


def iam_group(of: Account, group_name: str, **fields: Any) -> IAMGroup:
    """A group that AWS held when it was last read."""
    given = {"group_id": unique_id("AGPA"), "arn": f"arn:aws:iam::{of.account_id}:group/{group_name}"}
    return IAMGroup.objects.create(group_name=group_name, **_fact(of) | given | fields)


def group_membership(iam_user: IAMUser, iam_group: IAMGroup) -> GroupMembership:
    """That the user is in the group."""
    return GroupMembership.objects.create(iam_user=iam_user, iam_group=iam_group, **_fact(iam_user.account))


def iam_policy(of: Account, policy_name: str, **fields: Any) -> IAMPolicy:
    """A customer managed policy."""
    given = {"policy_id": unique_id("ANPA"), "arn": f"arn:aws:iam::{of.account_id}:policy/{policy_name}"}
    return IAMPolicy.objects.create(policy_name=policy_name, **_fact(of) | given | fields)


def iam_role(of: Account, role_name: str) -> IAMRole:
    """A role."""
    arn = f"arn:aws:iam::{of.account_id}:role/{role_name}"
    return IAMRole.objects.create(role_name=role_name, role_id=unique_id("AROA"), arn=arn, **_fact(of))


def boundary(of: Account, **fields: Any) -> Boundary:
    """The permissions boundary that the portal keeps there, as it was decided."""
    given = {"document": {"Version": "2012-10-17", "Statement": []}, "state": Boundary.State.KEPT, "state_at": READ_AT}
    return Boundary.objects.create(organization=of.organization, account=of, **given | fields)


def access_key(of: IAMUser, **fields: Any) -> AccessKey:
    """An active access key of an IAM user."""
    given = {"access_key_id": unique_id("AKIA"), "status": "Active", "create_date": READ_AT}
    return AccessKey.objects.create(iam_user=of, **_fact(of.account) | given | fields)


def login_profile(of: IAMUser, **fields: Any) -> LoginProfile:
    """The console password of an IAM user."""
    return LoginProfile.objects.create(iam_user=of, **_fact(of.account) | fields)


def sealed_secret(of: IAMUser, purpose: Purpose, *, id: str = "1", **fields: Any) -> SealedSecret:  # noqa: A002
    """A secret of an IAM user that waits a day for its owner: that of its access key `id`, or of its password."""
    bond, now = Bond(purpose, of.pk, id), timezone.now()
    given = {"recipient": of.owner, "at": now, "expires_at": now + timedelta(days=1), "secret": Secret(SECRET)}
    return seal.seal(organization=of.organization, purpose=purpose, bound_to=str(bond), **given | fields)


def rotation(of: AccessKey, **fields: Any) -> Rotation:
    """A rotation of the key, which its owner began and whose new key is on its way."""
    owner = of.iam_user.owner
    given = {"iam_user": of.iam_user, "recipient": owner, "started_by": owner, "started_at": READ_AT}
    return Rotation.objects.create(organization=of.organization, account=of.account, old_key=of, **given | fields)


def key_destination(of: IAMUser, *, by: Person, **fields: Any) -> KeyDestination:
    """That new keys of the IAM user go into Secrets Manager in eu-central-1."""
    given = {"region": "eu-central-1", "secret_name": f"gatehouse/{of}/access-key", "set_at": READ_AT}
    whose = {"organization": of.organization, "account": of.account, "iam_user": of, "set_by": by}
    return KeyDestination.objects.create(**whose, **given | fields)


def key_reminder(of: AccessKey, somebody: Person, **fields: Any) -> KeyReminder:
    """That somebody was told that the key is overdue."""
    given = {"stage": KeyReminder.Stage.OVERDUE, "created_at": READ_AT, "lease_until": READ_AT, "sent_at": READ_AT}
    return KeyReminder.objects.create(organization=of.organization, access_key=of, person=somebody, **given | fields)


def key_snooze(of: AccessKey, *, by: Person, **fields: Any) -> KeySnooze:
    """That nobody is reminded of the key for a day."""
    given = {"reason": "Moves next week", "at": READ_AT, "until": READ_AT + timedelta(days=1)}
    return KeySnooze.objects.create(organization=of.organization, access_key=of, by=by, **given | fields)


def calendar_feed(of: Organization, somebody: Person, **fields: Any) -> CalendarFeed:
    """Somebody's calendar, whose address nobody knows."""
    given = {"token_hash": f"{next(_numbers):064x}"}
    return CalendarFeed.objects.create(organization=of, person=somebody, **given | fields)


def used_signature(of: Rotation, **fields: Any) -> UsedSignature:
    """That a signed request has proven the new key."""
    given = {"digest": sha256(str(of.pk).encode()).hexdigest(), "used_at": READ_AT, "expires_at": READ_AT}
    return UsedSignature.objects.create(organization=of.organization, rotation=of, **given | fields)


def rotation_ask(of: AccessKey, *, by: Person, **fields: Any) -> RotationAsk:
    """That the owner of the key's IAM user was asked to rotate it, long ago, by a mail that went out."""
    organization = of.iam_user.organization
    given: dict[str, Any] = {
        "recipient": of.iam_user.owner,
        "asked_at": READ_AT,
        "lease_until": READ_AT,
        "sent_at": READ_AT,
    }
    if "bulk_change" not in fields:
        ended = {"kind": "ask_to_rotate", "change": {}, "state": "done", "finished_at": READ_AT}
        given["bulk_change"] = bulk_change(by, organization, **ended)
    return RotationAsk.objects.create(organization=organization, iam_user=of.iam_user, access_key=of, **given | fields)


def mfa_registration(of: IAMUser, **fields: Any) -> MFARegistration:
    """A virtual MFA device of its owner's, whose QR code was shown: two codes are awaited."""
    given = {
        "owner": of.owner,
        "state": "shown",
        "serial_number": f"arn:aws:iam::{of.account.account_id}:mfa/{of.user_name}-1",
        "started_at": READ_AT,
        "made_at": READ_AT,
        "expires_at": READ_AT + timedelta(hours=24),
    }
    return MFARegistration.objects.create(
        organization=of.organization, account=of.account, iam_user=of, **given | fields
    )


def iam_credential(of: IAMUser, **fields: Any) -> IAMCredential:
    """A signing certificate of an IAM user, or what else `kind` says."""
    given = {
        "kind": IAMCredential.Kind.SIGNING_CERTIFICATE,
        "credential_id": unique_id("CERT"),
        "status": "Active",
        "create_date": READ_AT,
    }
    return IAMCredential.objects.create(iam_user=of, **_fact(of.account) | given | fields)


def iam_provider(of: Account, name: str, **fields: Any) -> IAMProvider:
    """An identity provider of IAM that speaks SAML."""
    given = {"kind": IAMProvider.Kind.SAML, "arn": f"arn:aws:iam::{of.account_id}:saml-provider/{name}"}
    return IAMProvider.objects.create(**_fact(of) | given | fields)


def iam_user_record(of: IAMUser, **fields: Any) -> IAMUserRecord:
    """That the portal manages the IAM user, and decided that it shall be as its row says it is."""
    given = {
        "user_name": of.user_name,
        "path": of.path,
        "tags": of.peoples_tags,
        "group_names": sorted(of.group_memberships.values_list("iam_group__group_name", flat=True)),
        "permissions_boundary_arn": of.permissions_boundary_arn,
        "attached_policy_arns": sorted(of.attached_policy_arns),
        "inline_policies": of.inline_policies,
    }
    return IAMUserRecord.objects.create(iam_user=of, organization=of.organization, **given | fields)


def drift(of: IAMUser, **fields: Any) -> Drift:
    """That AWS holds a tag of the IAM user which was not decided here."""
    given = {
        "kind": Drift.Kind.CHANGED,
        "attribute": Drift.Attribute.TAGS,
        "decided": {},
        "held": {"cost-center": "4711"},
    }
    return Drift.objects.create(iam_user=of, **_fact(of.account) | given | fields)


def ownership_rule(of: Organization, **fields: Any) -> OwnershipRule:
    """A rule, behind all others."""
    given = {"position": of_its_kind(OwnershipRule, of) + 1}
    return OwnershipRule.objects.create(organization=of, **given | fields)


def of_its_kind(model: type[TenantRow], of: Organization) -> int:
    """How many rows of a kind the organization has."""
    return model._default_manager.filter(organization=of).count()


def connection_test(of: Account, **fields: Any) -> ConnectionTest:
    """A test of the account's role that waits for a worker."""
    return ConnectionTest.objects.create(organization=of.organization, account=of, **{"lease_until": READ_AT} | fields)


def account_discovery(via: Account, **fields: Any) -> AccountDiscovery:
    """A reading of ListAccounts that waits for a worker."""
    given = {"organization": via.organization, "account": via, "lease_until": READ_AT}
    return AccountDiscovery.objects.create(**given | fields)


def discovered_account(via: Account, member_account_id: str, **fields: Any) -> DiscoveredAccount:
    """An account that AWS Organizations told of."""
    given = {"name": f"member {member_account_id}", "email": f"{member_account_id}@acme.test", "status": "ACTIVE"}
    return DiscoveredAccount.objects.create(member_account_id=member_account_id, **_fact(via) | given | fields)


def mfa_device(of: IAMUser, **fields: Any) -> MFADevice:
    """A virtual MFA device of an IAM user."""
    given = {"serial_number": f"arn:aws:iam::{of.account.account_id}:mfa/{of.user_name}"}
    return MFADevice.objects.create(iam_user=of, **_fact(of.account) | given | fields)


def invitation(of: Organization, email: str, *, by: Person, **fields: Any) -> Invitation:
    """An invitation whose mail was sent, to be a member, which can be accepted for a year."""
    given = {"invited_by": by, "created_at": READ_AT, "sent_at": READ_AT, "expires_at": READ_AT + timedelta(days=365)}
    return Invitation.objects.create(organization=of, email=email, **{"lease_until": READ_AT} | given | fields)


def request(of: IAMUser, *, by: Person, **fields: Any) -> Request:
    """That somebody asks for the IAM user to be added to a group; bound to nothing that is there."""
    given = {
        "account": of.account, "team": of.team, "kind": "accounts.iam_user.added_to_group", "subject_type": "iam_user",
        "subject_id": str(of.pk), "subject_name": of.arn, "change": {"group": "administrators", "until": ""},
        "binding": "0" * 64, "reason": "On call", "made_by": by, "made_at": READ_AT,
        "expires_at": READ_AT + timedelta(days=7),
    }  # fmt: skip
    return Request.objects.create(organization=of.organization, **given | fields)


def group_grant(of: IAMUser, *, by: Person, **fields: Any) -> GroupGrant:
    """That the IAM user shall be in a group for a day."""
    given = {"group_name": "ledger-writers", "made_at": READ_AT, "until": READ_AT + timedelta(days=1), "made_by": by}
    return GroupGrant.objects.create(organization=of.organization, account=of.account, iam_user=of, **given | fields)


def account_import(of: Account, **fields: Any) -> AccountImport:
    """A reading of the account that waits for a worker."""
    return AccountImport.objects.create(organization=of.organization, account=of, **{"lease_until": READ_AT} | fields)


def bulk_change(by: Person, of: Organization, **fields: Any) -> BulkChange:
    """One that adds IAM users to `ledger-writers` and runs."""
    given = {"kind": "add_to_group", "change": {"group": "ledger-writers"}, "state": "running", "lease_until": READ_AT}
    return BulkChange.objects.create(by=by, organization=of, **given | fields)


def bulk_row(of: BulkChange, iam_user: IAMUser | None = None, **fields: Any) -> BulkRow:
    """A row that waits its turn, behind all others."""
    given = {"position": of.rows.count() + 1, "name": str(iam_user or "new")}
    return BulkRow.objects.create(organization=of.organization, bulk_change=of, iam_user=iam_user, **given | fields)


def offboarding(of: Organization, somebody: Person, **fields: Any) -> Offboarding:
    """That somebody leaves the organization, begun long ago by themselves, whose memberships it ended."""
    given = {"begun_by": somebody, "reason": "Leaves the company", "begun_at": READ_AT, "delete_after": READ_AT}
    row = Offboarding.objects.create(organization=of, person=somebody, **given | fields)
    row.memberships.set(Membership.objects.filter(organization=of, person=somebody))
    return row


def offboarded_iam_user(of: Offboarding, iam_user: IAMUser, **fields: Any) -> OffboardedIAMUser:
    """That an application of theirs needs another owner."""
    given = {"offboarding": of, "iam_user": iam_user, "kind": IAMUser.Kind.APPLICATION}
    return OffboardedIAMUser.objects.create(organization=of.organization, **given | fields)


def _fact(account: Account) -> dict[str, Any]:
    return {
        "organization": account.organization,
        "account": account,
        "source": Source.ACCOUNT_AUTHORIZATION_DETAILS,
        "read_at": READ_AT,
    }
