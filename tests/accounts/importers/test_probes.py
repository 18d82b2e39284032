"""What a test of a connection finds: the portal gets in, nobody else does, and the role allows what is needed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.importers import probes
from accounts.importers.probes import Finding, NotPassed, Outcome, Verdict
from accounts.importers.role_documents import role_of
from accounts.models import Account
from portal.aws import connect, permissions
from portal.aws.simulator import demo, hub, keys
from portal.aws.sts import CallerIdentity
from tests.aws.server import AWS
from tests.aws.strict import Fault

HUB = f"arn:aws:iam::{hub.HUB_ACCOUNT_ID}:root"

Put = Callable[..., None]


def trusting(condition: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    statement |= {} if condition is None else {"Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement | more]}


@pytest.fixture
def put(aws: AWS, acme_prod: Account) -> Put:
    """Put the portal's role in place in Acme's first account, as its page says or as the test does."""

    def put(*, trust: dict[str, Any] | None = None, statements: list[dict[str, Any]] | None = None) -> None:
        role = role_of(acme_prod, with_discovery=False)
        aws.account(acme_prod.account_id, trust=trust or role.trust)
        policy = role.policy if statements is None else role.policy | {"Statement": statements}
        if policy["Statement"]:
            aws.boto3(acme_prod.account_id).put_role_policy(
                RoleName="gatehouse-portal", PolicyName="gatehouse", PolicyDocument=json.dumps(policy)
            )

    return put


def outcomes(finding: Finding) -> list[str]:
    return [str(check.outcome) for check in finding.checks]


def test_the_role_that_the_page_shows_passes_every_check(put: Put, acme_prod: Account) -> None:
    put()

    finding = probes.examine(acme_prod)

    assert (finding.verdict, finding.words, finding.missing) == (Verdict.PASSED, "", ())
    assert outcomes(finding) == ["passed"] * 7


def test_it_changes_nothing_in_the_account(aws: AWS, put: Put, acme_prod: Account) -> None:
    put()

    probes.examine(acme_prod)

    asked = {call.operation for call in aws.trace}
    assert asked == {"GetCallerIdentity", "AssumeRole", "SimulatePrincipalPolicy"}


def test_it_enters_anew_and_does_not_believe_a_session_that_is_kept(aws: AWS, put: Put, acme_prod: Account) -> None:
    put()
    probes.examine(acme_prod)
    aws.backend(acme_prod.account_id).get_role("gatehouse-portal").assume_role_policy_document = json.dumps(
        demo.portal_trust("another-external-id-than-ours")
    )

    assert probes.examine(acme_prod).verdict is Verdict.SHUT


def test_a_role_that_is_not_there_is_shut_and_says_what_to_do(aws: AWS, acme_prod: Account) -> None:
    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.SHUT
    assert outcomes(finding) == ["passed", "failed", *["left out"] * 5]
    for words in ("111122223333 is the account's number", "role/gatehouse-portal", "external ID shown here"):
        assert words in finding.words


def test_abuse_a24_a_role_without_the_external_id_is_refused(put: Put, acme_prod: Account) -> None:
    put(trust=trusting(None))

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.REFUSED
    assert outcomes(finding) == ["passed", "passed", "passed", "failed", *["left out"] * 3]
    assert "without the external ID" in finding.words
    assert "StringEquals on sts:ExternalId" in finding.words


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"sts:ExternalId": "*"}},
        {"StringLike": {"sts:ExternalId": ["external-id-for-111122223333", "?*"]}},
    ],
)
def test_abuse_a24_a_role_that_takes_any_external_id_is_refused(
    put: Put, acme_prod: Account, condition: dict[str, Any]
) -> None:
    put(trust=trusting(condition))

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.REFUSED
    assert outcomes(finding) == ["passed", "passed", "passed", "passed", "failed", "left out", "left out"]
    assert "another external ID" in finding.words
    assert "without wildcards" in finding.words


def test_abuse_a24_a_second_statement_that_asks_for_nothing_is_refused(put: Put, acme_prod: Account) -> None:
    careful = trusting({"StringEquals": {"sts:ExternalId": acme_prod.external_id}})
    careless = trusting(None)
    put(trust=careful | {"Statement": careful["Statement"] + careless["Statement"]})

    assert probes.examine(acme_prod).verdict is Verdict.REFUSED


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.DROP_BEFORE, Fault.ERROR_BEFORE, Fault.EXPIRED])
@pytest.mark.parametrize("nth", [2, 3])
def test_abuse_a24_no_answer_is_no_refusal(
    aws: AWS, put: Put, acme_prod: Account, fault: Fault, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second AssumeRole is the one without the external id, the third the one with another."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    put()
    aws.faults.inject("AssumeRole", fault, nth=nth, times=99)

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.FAILED
    assert outcomes(finding)[nth + 1] == "unclear"
    assert outcomes(finding)[nth + 2 :] == ["left out"] * (5 - nth)
    assert "try again" in finding.words


def test_abuse_a24_a_denial_of_another_kind_is_no_refusal(
    aws: AWS, put: Put, acme_prod: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the hub's own key is not accepted says nothing about the role."""
    put()
    entry = probes.check_no_entry_without

    def after_the_hub_lost_its_key(account: Account) -> probes.Check:
        aws.backend(hub.HUB_ACCOUNT_ID).access_keys[hub.HUB_ACCESS_KEY_ID].status = "Inactive"
        return entry(account)

    checks = tuple((name, after_the_hub_lost_its_key if ask is entry else ask) for name, ask in probes.CHECKS)
    monkeypatch.setattr(probes, "CHECKS", checks)

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.FAILED
    assert outcomes(finding) == ["passed", "passed", "passed", "failed", *["left out"] * 3]


def test_abuse_a35_root_credentials_of_the_portal_are_refused(
    aws: AWS, put: Put, acme_prod: Account, settings: Any
) -> None:
    put()
    root = keys.make_root_key(hub.HUB_ACCOUNT_ID)
    settings.HUB_ACCESS_KEY_ID, settings.HUB_SECRET_ACCESS_KEY = root.access_key_id, root.secret_access_key
    connect.forget_all()

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.FAILED
    assert outcomes(finding) == ["failed", *["left out"] * 6]
    assert "root user of account 123456789012" in finding.words
    assert not aws.calls("AssumeRole")


@pytest.mark.parametrize(
    ("account", "arn", "words"),
    [
        ("111122223333", "arn:aws:iam::111122223333:root", "root user"),
        ("999900001111", "arn:aws:iam::999900001111:root", "root user"),
        ("999900001111", "arn:aws:sts::999900001111:assumed-role/gatehouse-portal/gatehouse", "into account 9999"),
        ("111122223333", "arn:aws:iam::111122223333:user/gatehouse", "not a session of a role"),
        ("111122223333", "arn:aws:sts::111122223333:federated-user/gatehouse", "not a session of a role"),
    ],
)
def test_abuse_a35_only_a_session_of_a_role_in_the_account_will_do(
    acme_prod: Account, account: str, arn: str, words: str
) -> None:
    with pytest.raises(NotPassed, match=words) as refused:
        probes.judge(acme_prod, CallerIdentity(user_id="x", account=account, arn=arn))
    assert refused.value.verdict is Verdict.REFUSED


def test_abuse_a35_no_field_takes_a_key_of_root(acme_prod: Account) -> None:
    names = {field.name for field in Account._meta.get_fields()}

    assert not [name for name in names if "secret" in name or "access_key_id" in name or "root" in name]


def test_missing_reads_fail_the_test_and_are_named(put: Put, acme_prod: Account) -> None:
    statements = role_of(acme_prod, with_discovery=False).policy["Statement"]
    reads = [action for action in permissions.READS if action not in ("iam:GetUser", "iam:ListAccessKeys")]
    put(statements=[statements[0] | {"Action": reads}, *statements[1:]])

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.FAILED
    assert finding.missing == ("iam:GetUser", "iam:ListAccessKeys")
    assert finding.checks[-2].outcome is Outcome.FAILED
    assert "cannot be read" in finding.words


def test_missing_changes_are_named_and_do_not_stop_the_connection(put: Put, acme_prod: Account) -> None:
    statements = role_of(acme_prod, with_discovery=False).policy["Statement"]
    denied = {"Effect": "Deny", "Action": "iam:Delete*", "Resource": "arn:aws:iam::111122223333:user/*"}
    put(statements=[*(st for st in statements if ":group/" not in st["Resource"]), denied])

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.PASSED
    assert finding.checks[-1].outcome is Outcome.INCOMPLETE
    assert set(finding.missing) == {
        "iam:AddUserToGroup",
        "iam:RemoveUserFromGroup",
        *(action for action in permissions.CHANGES["user/*"] if action.startswith("iam:Delete")),
    }


def test_a_role_that_may_not_ask_what_it_may_is_told_so(aws: AWS, put: Put, acme_prod: Account) -> None:
    put()
    aws.faults.inject("SimulatePrincipalPolicy", Fault.DENY)

    finding = probes.examine(acme_prod)

    assert finding.verdict is Verdict.FAILED
    assert finding.missing == ("iam:SimulatePrincipalPolicy",)
    assert "needs iam:SimulatePrincipalPolicy on itself" in finding.words


def test_a_role_without_any_policy_lacks_every_read(put: Put, acme_prod: Account) -> None:
    put(statements=[])

    assert set(probes.examine(acme_prod).missing) == set(permissions.READS)


def test_an_answer_that_nobody_foresaw_fails_the_test(aws: AWS, put: Put, acme_prod: Account) -> None:
    put()
    aws.faults.inject("SimulatePrincipalPolicy", Fault.UNKNOWN)

    finding = probes.examine(acme_prod)

    assert (finding.verdict, finding.checks[-2].outcome) == (Verdict.FAILED, Outcome.FAILED)
