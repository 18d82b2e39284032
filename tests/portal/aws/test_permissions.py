"""The portal's role is allowed what this package calls, and nothing else."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import create_loader

from portal.aws import permissions
from tests import services

AWS = services.ROOT / "portal" / "aws"
CALLING = {"_read", "_write", "_pages", "_all"}
ROLE = "arn:aws:iam::111122223333:role/gatehouse-portal"


def called(source: str) -> Iterator[str]:
    """The operations that a module names in its calls of AWS."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLING:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant):
                yield str(first.value)


def service_of(path: Path) -> str:
    """The prefix of the actions of a module: its own name, or that of the package it is in."""
    return path.relative_to(AWS).parts[0].removesuffix(".py")


def actions_called() -> set[str]:
    paths = [path for path in AWS.rglob("*.py") if "simulator" not in path.parts]
    return {f"{service_of(path)}:{operation}" for path in paths for operation in called(path.read_text())}


def actions_in_the_table() -> list[str]:
    of_changes = [action for actions in permissions.CHANGES.values() for action in actions]
    return [
        *permissions.READS,
        *of_changes,
        *permissions.SECRETS,
        permissions.SELF_TEST,
        *permissions.DISCOVERY,
        *permissions.NOT_OF_THE_ROLE,
    ]


OF_TAGS = {action for actions in permissions.TAGGED_WHEN_MADE.values() for action in actions} | {
    permissions.TAG_SECRETS
}
SECRETS_OF_ITS_OWN = "arn:aws:secretsmanager:*:111122223333:secret:gatehouse/*"


def actions_of(policy: permissions.Document) -> list[str]:
    return [action for statement in policy["Statement"] for action in statement["Action"]]


def policy_of_the_role(*, with_discovery: bool = True) -> permissions.Document:
    return permissions.role_policy(
        partition="aws", account_id="111122223333", role_arn=ROLE, with_discovery=with_discovery
    )


def test_the_table_names_what_is_called_and_nothing_else() -> None:
    assert sorted(actions_in_the_table()) == sorted(actions_called())


def test_the_walk_sees_every_way_of_calling() -> None:
    source = 'self._read("A")\nself._write(\n    "B", X=1\n)\nself._pages("C")\nself._all("D", "Key")\nself._read(name)'

    assert list(called(source)) == ["A", "B", "C", "D"]
    assert len(actions_called()) > 40


@pytest.mark.parametrize("action", sorted({*actions_in_the_table(), *OF_TAGS}))
def test_each_action_is_an_operation_of_its_service(action: str) -> None:
    service, _, operation = action.partition(":")

    assert operation in create_loader().load_service_model(service, "service-2")["operations"]


def test_the_policy_allows_what_the_table_says() -> None:
    granted = actions_of(policy_of_the_role())

    assert len(granted) == len(set(granted))
    assert set(granted) == {*actions_in_the_table(), *OF_TAGS} - set(permissions.NOT_OF_THE_ROLE)


def test_it_finds_accounts_only_where_that_is_asked_for() -> None:
    assert not [action for action in actions_of(policy_of_the_role(with_discovery=False)) if "organizations" in action]


def test_no_action_is_a_pattern_and_no_change_is_on_everything() -> None:
    policy = policy_of_the_role()

    assert "*" not in "".join(actions_of(policy))
    reading = {*permissions.READS, *permissions.DISCOVERY}
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
        if statement["Resource"] != SECRETS_OF_ITS_OWN and not set(statement["Action"]) <= reading:
            assert statement["Resource"].startswith("arn:aws:iam::111122223333:")


def test_of_secrets_it_keeps_its_own_and_reads_none() -> None:
    on_secrets = [
        statement
        for statement in policy_of_the_role()["Statement"]
        if any(action.startswith("secretsmanager:") for action in statement["Action"])
    ]

    assert [statement["Resource"] for statement in on_secrets] == [SECRETS_OF_ITS_OWN]
    assert "secretsmanager:GetSecretValue" not in actions_of(policy_of_the_role())


def test_the_role_cannot_raise_itself() -> None:
    """It changes no role and no group's rights, of managed policies its own alone; of itself it may only ask."""
    on_itself = [statement for statement in policy_of_the_role()["Statement"] if ":role/" in statement["Resource"]]

    assert [statement["Action"] for statement in on_itself] == [["iam:SimulatePrincipalPolicy"]]
    raising = re.compile(
        r"iam:((Attach|Put)(Role|Group)Policy|PassRole|.*Version|Update(Assume)?Role|Create(Role|Pol))"
    )
    found = {
        (action, statement["Resource"])
        for statement in policy_of_the_role()["Statement"]
        for action in statement["Action"]
        if raising.match(action) and not re.match("iam:(Get|List)", action)
    }
    its_own = "arn:aws:iam::111122223333:policy/gatehouse/*"
    assert found == {
        (f"iam:{name}", its_own) for name in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicyVersion")
    }


def test_the_policies_stay_within_iams_sizes() -> None:
    longest = f"arn:aws-us-gov:iam::111122223333:role/{'r' * 64}"
    policy = permissions.role_policy(
        partition="aws-us-gov", account_id="111122223333", role_arn=longest, with_discovery=True
    )
    trust = permissions.trust_policy(hub_principal_arn=longest, external_id="x" * 128)

    assert len(re.sub(r"\s", "", json.dumps(policy))) <= permissions.ROLE_POLICY_SIZE
    assert len(re.sub(r"\s", "", json.dumps(trust))) <= permissions.TRUST_POLICY_SIZE


def test_the_trust_is_the_hubs_with_its_external_id_alone() -> None:
    (statement,) = permissions.trust_policy(hub_principal_arn="arn:hub", external_id="x1")["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:hub"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "x1"}},
    }
