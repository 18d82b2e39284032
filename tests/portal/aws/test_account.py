"""Reading a whole account: its details page by page, its summary, its credential report."""

from datetime import UTC, datetime
from typing import Any

import pytest

from portal.aws import connect
from portal.aws.errors import NotFound, TryLater, Unknown
from portal.aws.iam import IAM
from portal.aws.iam.account import EntityType
from portal.aws.iam.credential_report import ReportState, parse
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.aws.whole import whole

ACCOUNT = "111122223333"
DOCUMENT = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
EVERYTHING = (EntityType.USER, EntityType.GROUP, EntityType.ROLE, EntityType.LOCAL_MANAGED_POLICY)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
ROOT = (
    "<root_account>,arn:aws:iam::1:root,2021-03-01T09:00:00+00:00,not_supported,no_information,not_supported,"
    "not_supported,TRUE,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,FALSE,N/A"
)
MIA = (
    "mia,arn:aws:iam::1:user/mia,2026-01-01T00:00:00Z,true,2026-11-20T10:00:00Z,2026-02-01T00:00:00Z,N/A,false,true,"
    "2026-08-01T00:00:00Z,2026-11-21T09:15:00Z,us-east-1,s3,false,2026-03-01T00:00:00Z,N/A,N/A,N/A,false,N/A,false,N/A"
)


@pytest.fixture
def iam(aws: AWS) -> IAM:
    return connect.iam(aws.account(ACCOUNT))


@pytest.fixture
def outside(aws: AWS) -> Any:
    return aws.boto3(ACCOUNT)


@pytest.fixture
def filled(outside: Any) -> Any:
    outside.create_policy(PolicyName="ledger-read", PolicyDocument=DOCUMENT)
    outside.create_group(GroupName="ledger-readers")
    arn = f"arn:aws:iam::{ACCOUNT}:policy/ledger-read"
    outside.attach_group_policy(GroupName="ledger-readers", PolicyArn=arn)
    outside.put_group_policy(GroupName="ledger-readers", PolicyName="more", PolicyDocument=DOCUMENT)
    for name in ("mia", "noah", "priya"):
        outside.create_user(UserName=name, PermissionsBoundary=arn, Tags=[{"Key": "team", "Value": "Payments"}])
        outside.add_user_to_group(GroupName="ledger-readers", UserName=name)
    return outside


@pytest.mark.parametrize("page_size", [1, 2, 1_000])
def test_everything_is_read_however_it_is_cut(
    iam: IAM, filled: Any, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    monkeypatch.setattr("portal.aws.calls.PAGE_SIZE", page_size)

    details = whole(iam.get_account_authorization_details(filter=EVERYTHING))

    assert [user.user_name for user in details.user_detail_list] == ["mia", "noah", "priya"]
    assert [group.group_name for group in details.group_detail_list] == ["ledger-readers"]
    assert [role.role_name for role in details.role_detail_list] == ["gatehouse-portal"]
    assert [policy.policy_name for policy in details.policies] == ["ledger-read"]


def test_users_groups_roles_and_policies_tell_what_hangs_on_them(iam: IAM, filled: Any) -> None:
    details = whole(iam.get_account_authorization_details(filter=EVERYTHING))

    user, group = details.user_detail_list[0], details.group_detail_list[0]
    role, policy = details.role_detail_list[0], details.policies[0]
    assert user.group_list == ("ledger-readers",)
    assert user.tags == {"team": "Payments"}
    assert user.permissions_boundary == policy.arn
    assert [attached.policy_arn for attached in group.attached_managed_policies] == [policy.arn]
    assert [inline.policy_name for inline in group.group_policy_list] == ["more"]
    assert group.group_policy_list[0].policy_document == policy.policy_document
    assert isinstance(policy.policy_document, dict)
    assert policy.policy_document["Statement"][0]["Action"] == "s3:GetObject"
    assert isinstance(role.assume_role_policy_document, dict)
    assert policy.attachment_count == 1


def test_only_what_is_asked_for_is_told(iam: IAM, filled: Any) -> None:
    details = whole(iam.get_account_authorization_details(filter=[EntityType.GROUP]))

    assert len(details.group_detail_list) == 1
    assert (details.user_detail_list, details.role_detail_list, details.policies) == ((), (), ())


def test_aws_own_policies_are_told_where_they_are_attached(iam: IAM, filled: Any) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    filled.attach_user_policy(UserName="mia", PolicyArn=arn)

    details = whole(iam.get_account_authorization_details(filter=[EntityType.AWS_MANAGED_POLICY]))

    assert [policy.arn for policy in details.policies] == [arn]


def test_a_page_that_fails_leaves_nothing(aws: AWS, iam: IAM, filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.aws.calls.PAGE_SIZE", 2)
    aws.faults.inject("GetAccountAuthorizationDetails", Fault.THROTTLE, nth=2, times=3)

    with pytest.raises(TryLater):
        whole(iam.get_account_authorization_details(filter=EVERYTHING))


def test_the_summary_and_the_alias_are_told(iam: IAM, filled: Any) -> None:
    filled.create_account_alias(AccountAlias="acme-prod")

    assert iam.get_account_summary()["Users"] == 3
    assert iam.get_account_summary()["AccessKeysPerUserQuota"] == 2
    assert iam.list_account_aliases() == ("acme-prod",)


def test_a_report_is_made_and_read(iam: IAM, filled: Any) -> None:
    filled.create_login_profile(UserName="mia", Password="gatehouse-demo")
    created = filled.create_access_key(UserName="mia")["AccessKey"]["CreateDate"]
    with pytest.raises(NotFound):
        iam.get_credential_report()

    assert iam.generate_credential_report() is ReportState.STARTED
    assert iam.generate_credential_report() is ReportState.COMPLETE
    report = iam.get_credential_report()

    root, mia, *_ = report.rows
    assert root.is_root
    assert (mia.user, mia.password_enabled, mia.mfa_active) == ("mia", True, False)
    assert mia.access_keys[0].is_active
    assert mia.access_keys[0].last_rotated == created, "keys are told apart by this equality"
    assert not mia.access_keys[1].is_active
    assert abs((datetime.now(UTC) - report.generated_time).total_seconds()) < 60


def test_an_old_report_is_kept_for_four_hours(aws: AWS, iam: IAM, filled: Any) -> None:
    iam.generate_credential_report()
    filled.create_user(UserName="newcomer")

    assert iam.generate_credential_report() is ReportState.COMPLETE
    assert "newcomer" not in [row.user for row in iam.get_credential_report().rows]

    aws.expire_credential_report(ACCOUNT)
    assert iam.generate_credential_report() is ReportState.STARTED
    assert "newcomer" in [row.user for row in iam.get_credential_report().rows]


def test_rows_are_read_by_the_names_of_their_columns() -> None:
    columns = HEADER.split(",")
    order = [*reversed(range(len(columns)))]
    shuffled = "\n".join(
        ",".join([*(line.split(",")[place] for place in order), extra])
        for line, extra in ((HEADER, "additional_credentials_info"), (ROOT, "N/A"), (MIA, "N/A"))
    )

    assert parse(shuffled) == parse("\n".join((HEADER, ROOT, MIA)))


def test_what_aws_does_not_know_is_none() -> None:
    root, mia = parse("\n".join((HEADER, ROOT, MIA)))

    assert (root.password_enabled, root.password_last_used, root.mfa_active) == (None, None, True)
    assert root.user_creation_time == datetime(2021, 3, 1, 9, tzinfo=UTC)
    assert (mia.password_next_rotation, mia.password_last_used) == (None, datetime(2026, 11, 20, 10, tzinfo=UTC))
    first, second = mia.access_keys
    assert (first.last_used_region, first.last_used_service) == ("us-east-1", "s3")
    assert (second.is_active, second.last_used_date, second.last_used_region) == (False, None, None)
    assert second.last_rotated == datetime(2026, 3, 1, tzinfo=UTC), "an inactive key keeps its date"


@pytest.mark.parametrize(
    "content",
    [
        "\n".join((HEADER.replace("mfa_active", "mfa"), MIA)),
        "\n".join((HEADER, MIA.replace("2026-11-20T10:00:00Z", "yesterday"))),
        "\n".join((HEADER, MIA.replace("true", "perhaps"))),
        "\n".join((HEADER, "mia,arn")),
    ],
)
def test_a_report_that_cannot_be_read_is_unknown(content: str) -> None:
    with pytest.raises(Unknown, match="the credential report is not what AWS documents"):
        parse(content)
