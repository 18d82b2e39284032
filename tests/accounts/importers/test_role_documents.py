"""What an administrator puts in place: three forms that say the same, and one template for many accounts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from accounts.importers import probes, role_documents
from accounts.importers.probes import Verdict
from accounts.importers.role_documents import documents_of, role_of, stack_set_templates
from accounts.models import Account, Organization
from portal.aws.simulator import keys
from tests import factories
from tests.aws.server import AWS

HUB = "arn:aws:iam::123456789012:role/gatehouse"


@pytest.fixture(autouse=True)
def hub(settings: Any) -> None:
    settings.HUB_PRINCIPAL_ARN = HUB


def text(account: Account, form: str, **how: bool) -> str:
    return next(document.text for document in documents_of(account, **how) if document.form == form)


def objects(source: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, outermost first."""
    decoder, found, at = json.JSONDecoder(), [], source.find("{\n")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(source, at)
            found.append(value)
        except json.JSONDecodeError:
            end = at + 1
        at = source.find("{\n", end)
    return found


def test_the_forms_have_names_and_types_of_their_own(acme_prod: Account) -> None:
    documents = documents_of(acme_prod)

    assert [(document.form, document.words) for document in documents] == [
        ("json", "CloudFormation"),
        ("tf", "Terraform"),
        ("sh", "AWS CLI"),
    ]
    assert documents[0].content_type == "application/json"


@pytest.mark.parametrize("with_discovery", [False, True])
def test_all_three_say_the_same(acme_prod: Account, with_discovery: bool) -> None:
    role = role_of(acme_prod, with_discovery=with_discovery)
    template = json.loads(text(acme_prod, "json", with_discovery=with_discovery))
    properties = template["Resources"]["GatehouseRole"]["Properties"]

    assert properties["RoleName"] == "gatehouse-portal"
    assert properties["AssumeRolePolicyDocument"] == role.trust
    assert [policy["PolicyDocument"] for policy in properties["Policies"]] == [role.policy]
    for form in ("tf", "sh"):
        assert objects(text(acme_prod, form, with_discovery=with_discovery)) == [role.trust, role.policy]


def test_the_trust_is_the_hubs_with_the_accounts_external_id(acme_prod: Account) -> None:
    (statement,) = role_of(acme_prod, with_discovery=False).trust["Statement"]

    assert statement["Principal"] == {"AWS": HUB}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": acme_prod.external_id}}


def test_a_role_with_a_path_is_made_under_it(acme: Organization) -> None:
    account = factories.account(acme, "444455556666", role_arn="arn:aws:iam::444455556666:role/security/tools/gate")

    properties = json.loads(text(account, "json"))["Resources"]["GatehouseRole"]["Properties"]

    assert (properties["Path"], properties["RoleName"]) == ("/security/tools/", "gate")
    assert '"/security/tools/"' in text(account, "tf")
    assert "--role-name 'gate' --path '/security/tools/'" in text(account, "sh")


def test_nothing_is_written_while_the_portal_does_not_know_itself(settings: Any) -> None:
    settings.HUB_PRINCIPAL_ARN = ""

    assert not role_documents.can_be_written()


@pytest.mark.skipif(not shutil.which("terraform"), reason="Terraform is not installed")
def test_terraform_reads_it_and_would_write_it_so(acme_prod: Account, tmp_path: Path) -> None:
    source, env = text(acme_prod, "tf"), {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    ran = subprocess.run(["terraform", "fmt", "-"], input=source, env=env, capture_output=True, text=True)

    assert (ran.returncode, ran.stdout) == (0, source), ran.stderr


def test_the_script_is_a_script(acme_prod: Account) -> None:
    assert subprocess.run(["sh", "-n"], input=text(acme_prod, "sh"), text=True).returncode == 0


def run_script(aws: AWS, account: Account, *, as_administrator_of: str) -> subprocess.CompletedProcess[str]:
    session = keys.let_in(as_administrator_of, seconds=900)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "AWS_PAGER": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(["sh"], input=text(account, "sh"), env=env, capture_output=True, text=True, timeout=120)


def has_aws_cli() -> bool:
    """A name on the path may stand for nothing."""
    found = shutil.which("aws")
    return found is not None and subprocess.run([found, "--version"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_aws_cli(), reason="the AWS CLI is not installed")
def test_the_script_makes_a_role_that_passes_the_test_and_may_be_run_again(
    aws: AWS, acme_prod: Account, settings: Any
) -> None:
    settings.HUB_PRINCIPAL_ARN = "arn:aws:iam::123456789012:user/gatehouse-hub"

    elsewhere = run_script(aws, acme_prod, as_administrator_of="999900001111")
    assert elsewhere.returncode == 1
    assert "Nothing was changed" in elsewhere.stderr
    assert not aws.backend("999900001111").roles

    for _ in range(2):
        ran = run_script(aws, acme_prod, as_administrator_of=acme_prod.account_id)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert probes.examine(acme_prod).verdict is Verdict.PASSED


# Many accounts at once


def accounts(of: Organization, count: int, **fields: Any) -> list[Account]:
    return [
        Account(
            organization=of,
            account_id=f"{number:012d}",
            role_arn=f"arn:aws:iam::{number:012d}:role/{fields.get('role', 'gatehouse-portal')}",
            external_id=f"external-id-number-{number:06d}",
        )
        for number in range(fields.get("start", 1), fields.get("start", 1) + count)
    ]


def test_in_a_stack_set_each_account_finds_its_own_external_id(acme: Organization) -> None:
    (template,) = map(json.loads, stack_set_templates(accounts(acme, 3)))

    assert template["Mappings"]["Accounts"] == {
        f"{number:012d}": {"ExternalId": f"external-id-number-{number:06d}"} for number in (1, 2, 3)
    }
    role = template["Resources"]["GatehouseRole"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": HUB}
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == {
        "Fn::FindInMap": ["Accounts", {"Ref": "AWS::AccountId"}, "ExternalId"]
    }


def test_filled_in_by_cloudformation_it_is_the_policy_of_each_account(acme: Organization) -> None:
    (account,) = accounts(acme, 1)
    (template,) = map(json.loads, stack_set_templates([account]))

    filled = json.loads(
        json.dumps(template["Resources"]["GatehouseRole"]["Properties"]["Policies"][0]["PolicyDocument"])
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::AccountId}", account.account_id),
        object_hook=lambda value: value["Fn::Sub"] if set(value) == {"Fn::Sub"} else value,
    )

    assert filled == role_of(account, with_discovery=False).policy


def test_a_template_takes_no_more_accounts_than_cloudformation_does(acme: Organization) -> None:
    templates = [json.loads(template) for template in stack_set_templates(accounts(acme, 401))]

    named = [set(template["Mappings"]["Accounts"]) for template in templates]
    assert [len(names) for names in named] == [200, 200, 1]
    assert len(set.union(*named)) == 401
    # AWS CloudFormation quotas: a template that is sent along has at most 51,200 bytes.
    assert max(len(template) for template in stack_set_templates(accounts(acme, 401))) < 51_200


def test_roles_of_different_names_are_in_templates_of_their_own(acme: Organization) -> None:
    mixed = [*accounts(acme, 2), *accounts(acme, 1, start=9, role="another")]

    templates = [json.loads(template) for template in stack_set_templates(mixed)]

    assert {
        template["Resources"]["GatehouseRole"]["Properties"]["RoleName"]: len(template["Mappings"]["Accounts"])
        for template in templates
    } == {"gatehouse-portal": 2, "another": 1}


def test_without_accounts_there_is_no_template() -> None:
    assert stack_set_templates([]) == ()


def test_names_in_mappings_are_what_cloudformation_takes(acme: Organization) -> None:
    (template,) = map(json.loads, stack_set_templates(accounts(acme, 1)))

    for name in ("Accounts", *template["Mappings"]["Accounts"], "ExternalId"):
        assert re.fullmatch(r"[A-Za-z0-9-]{1,255}", name)
