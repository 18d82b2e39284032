"""An AWS account of any size in the embedded AWS: people and applications, with what hangs on them.

Everything follows from a user's number, so that a benchmark knows what is in it. All ids that exist once in the world
hold the account's number, so that another number in the same answers makes another account. Made in moto's memory: over
HTTP it would take longer than what is measured.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from moto.iam.models import AccessKey, AccessKeyLastUsed, IAMBackend, User, iam_backends

from portal.aws.simulator import aws_policies, demo
from portal.aws.simulator.demo_accounts import PORTAL_ROLE, DemoAccount, document
from portal.aws.simulator.hub import PARTITION, REGION

NUMBER = "555566667777"
ACCOUNT = DemoAccount(NUMBER, "large", "bench", f"external-id-of-{NUMBER}", {})
USERS_PER_GROUP = 50
FEWEST_GROUPS = 4
GROUPS_EACH = 2
POLICIES = 20
ROLES = 20
AWS_POLICY = f"{aws_policies.PREFIX}SecurityAudit"
AGE = timedelta(days=900)


def keys(number: int) -> int:
    """How many access keys the user has: of five, two have none, two have one and one has two."""
    return (0, 1, 1, 2, 0)[number % 5]


def with_keys(users: int) -> int:
    """How many users have an access key."""
    return sum(keys(number) > 0 for number in range(users))


def is_person(number: int) -> bool:
    """Whether the user has a console password and a virtual MFA device; the others are applications."""
    return number % 10 < 4


def fill(users: int, *, at: datetime) -> None:
    """Make the account as it is at `at` (UTC without a zone, as moto keeps its times)."""
    backend = iam_backends[NUMBER][PARTITION]
    made = at.replace(microsecond=0) - AGE
    trust = json.dumps(demo.portal_trust(ACCOUNT.external_id))
    backend.create_role(PORTAL_ROLE, trust, "/", None, "", [], "3600")
    backend.create_account_alias(ACCOUNT.alias)
    policies = list(_make_policies(backend))
    groups = list(_make_groups(backend, policies, users))
    for number in range(ROLES):
        backend.create_role(f"task-{number}", trust, "/", None, "", [], "3600")
    for number in range(users):
        # A minute apart: no two keys of the account were made at the same time.
        _make_user(backend, number, groups, policies, made + timedelta(minutes=number))


def _make_policies(backend: IAMBackend) -> Iterator[str]:
    aws_policies.know(backend, AWS_POLICY)
    for number in range(POLICIES):
        text = json.dumps(document("s3:GetObject", "s3:ListBucket", on=f"arn:aws:s3:::bucket-{number}*"))
        yield backend.create_policy("", "/", text, f"bucket-{number}", []).arn


def _make_groups(backend: IAMBackend, policies: list[str], users: int) -> Iterator[str]:
    for number in range(max(FEWEST_GROUPS, users // USERS_PER_GROUP)):
        name = backend.create_group(f"group-{number}").name
        backend.attach_group_policy(policies[number % POLICIES], name)
        backend.attach_group_policy(AWS_POLICY, name)
        yield name


def _make_user(backend: IAMBackend, number: int, groups: list[str], policies: list[str], made: datetime) -> None:
    kind = "person" if is_person(number) else "application"
    name, tags = f"{kind}-{number:05}", {"kind": kind, "cost-center": str(4000 + number % 40), "stage": "prod"}
    told = [{"Key": key, "Value": value} for key, value in tags.items()]
    user = backend.create_user(REGION, name, f"/bench/{kind}/", told)
    user.id, user.create_date = f"AIDA{NUMBER}{number:06}", made
    for step in range(GROUPS_EACH):
        backend.add_user_to_group(groups[(number + step) % len(groups)], name)
    if number % 5 == 0:
        backend.attach_user_policy(policies[number % POLICIES], name)
    if number % 10 == 0:
        backend.put_user_policy(name, "own-bucket", json.dumps(document("s3:*", on=f"arn:aws:s3:::{name}/*")))
    for second in range(keys(number)):
        _make_key(backend, user, number, second)
    if is_person(number):
        _make_password(backend, user)


def _make_key(backend: IAMBackend, user: User, number: int, second: int) -> None:
    """Of second keys each other one is inactive, and of all keys each seventh was never used."""
    is_active = not second or number % 2 == 0
    key: AccessKey = user.create_access_key(prefix="AKIA", status="Active" if is_active else "Inactive")
    key.access_key_id = f"AKIA{NUMBER}{number:06}{second}"
    key.create_date = user.create_date + timedelta(days=30 + 300 * second)
    if number % 7:
        used_at = key.create_date + timedelta(days=200)
        key.last_used = AccessKeyLastUsed(timestamp=used_at, service="s3", region="eu-central-1")
    backend.access_keys[key.access_key_id] = key


def _make_password(backend: IAMBackend, user: User) -> None:
    backend.create_login_profile(user.name, f"Of-nobody-{user.name}")
    changed, used = user.create_date + timedelta(days=1), user.create_date + timedelta(days=600)
    vars(user).update(password_last_changed=changed, password_last_used=used)
    device = backend.create_virtual_mfa_device(user.name, "/")
    backend.enable_mfa_device(user.name, device.serial_number, "000000", "000001")
    device.enable_date = user.mfa_devices[device.serial_number].enable_date = changed
