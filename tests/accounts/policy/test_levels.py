"""What an action does: reads, writes or administers; what nobody knows writes."""

import pytest

from accounts.policy.actions import ELSEWHERE, everything, meant, names, services
from accounts.policy.levels import OWN_PASSWORD, Level, bits_of, level_of

# A few whose level is beyond dispute, of services in daily use.
KNOWN = {
    Level.READ: [
        "iam:listusers", "iam:getuser", "iam:generatecredentialreport", "iam:simulateprincipalpolicy", "s3:getobject",
        "s3:listallmybuckets", "s3:headobject", "ec2:describeinstances", "dynamodb:batchgetitem", "sqs:getqueueurl",
        "cognito-idp:admingetuser", "organizations:describeorganization", "logs:getlogevents", "ecs:listtasks",
    ],
    Level.WRITE: [
        "s3:putobject", "s3:putlifecycleconfiguration", "ec2:runinstances", "ecs:updateservice", "sqs:sendmessage",
        "dynamodb:putitem", "dynamodb:deletetable", "lambda:invokefunction", "sts:assumerole", "sts:getsessiontoken",
        "autoscaling:putscalingpolicy", "ecr:putlifecyclepolicy", "waf:createwebacl", "logs:putretentionpolicy",
        "ec2:createnetworkacl", "ssm:startsession", "ecs:tagresource",
    ],
    Level.ADMINISTER: [
        "iam:createuser", "iam:passrole", "iam:tagrole", "iam:deletessh", "s3:putbucketpolicy", "s3:putobjectacl",
        "s3:putbucketpublicaccessblock", "kms:creategrant", "kms:putkeypolicy", "lambda:addpermission",
        "sqs:addpermission", "ecr:setrepositorypolicy", "secretsmanager:putresourcepolicy",
        "ec2:modifysnapshotattribute", "organizations:attachpolicy", "sso:createaccountassignment",
        "account:closeaccount", "ds:createtrust", "ram:createresourceshare", "sso:getrolecredentials",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("action", "level"), [(action, level) for level, actions in KNOWN.items() for action in actions]
)
def test_it_is_told_from_the_name(action: str, level: Level) -> None:
    service, _, name = action.partition(":")

    assert level_of(service, name) is level


def test_every_action_but_ones_own_password_has_one_level() -> None:
    read, write, administer = map(bits_of, Level)

    assert read | write | administer == everything().bits & ~meant([OWN_PASSWORD]).bits
    assert read & write == write & administer == read & administer == 0


def test_what_nobody_knows_writes_or_administers_where_all_of_a_service_does() -> None:
    assert ELSEWHERE & bits_of(Level.WRITE)
    assert services()["sqs"].unknown & bits_of(Level.WRITE)
    assert services()["iam"].unknown & bits_of(Level.ADMINISTER)


def test_what_changes_iam_never_reads() -> None:
    reading = {name.partition(":")[2] for name in names(meant(["iam:*"])) if level_of(*name.split(":")) is Level.READ}

    assert {name for name in reading if not name.startswith(("get", "list", "generate", "simulate"))} == set()
