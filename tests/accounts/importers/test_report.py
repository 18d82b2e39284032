"""The credential report: made anew, expired, in progress, throttled, with a column more or fewer, or no CSV at all."""

from collections.abc import Callable

import pytest

from accounts.importers.reported_keys import KnownKey, are_as_known, joined
from accounts.models import AccessKey, Account, AccountImport, IAMUser, LoginProfile
from portal.aws.iam.credential_report import CredentialReportRow, parse
from portal.aws.simulator import report
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.factories import READ_AT

Read = Callable[..., AccountImport]


def test_a_report_that_expires_between_two_calls_is_asked_for_again(aws: AWS, full: Account, read: Read) -> None:
    aws.faults.inject("GetCredentialReport", Fault.ABSENT)

    assert read(full).state == AccountImport.State.APPLIED
    assert len(aws.calls("GetCredentialReport")) == 2


def test_a_report_that_is_never_made_concludes_nothing(
    aws: AWS, full: Account, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.importers.snapshot.REPORT_TRIES", 3)
    monkeypatch.setattr(report, "generate", lambda backend: True)

    account_import = read(full)

    assert (account_import.state, "still making the report" in account_import.error) == ("failed", True)
    assert not IAMUser.objects.exists()


def test_the_last_report_serves_where_aws_makes_no_more_of_them(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    aws.faults.inject("GenerateCredentialReport", Fault.REPORT_LIMIT)

    assert read(full, new_report=False).state == AccountImport.State.APPLIED
    full.refresh_from_db()
    assert full.report_generated_at is not None
    assert full.read_at is not None
    assert full.report_generated_at < full.read_at


def rewritten(aws: AWS, account: Account, change: Callable[[str], str]) -> None:
    """Let AWS's next report be what `change` makes of it."""
    backend = aws.backend(account.account_id)
    report.expire(backend)
    report.generate(backend)
    vars(backend)["report_content"] = change(vars(backend)["report_content"])


def test_a_column_more_changes_nothing(aws: AWS, full: Account, read: Read) -> None:
    def with_more(content: str) -> str:
        head, *rows = content.split("\n")
        return "\n".join(["zodiac_sign," + head, *("aries," + row for row in rows)])

    rewritten(aws, full, with_more)

    assert read(full, new_report=False).state == AccountImport.State.APPLIED
    assert LoginProfile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<html>Sign in</html>", "it has no column 'user'"),
        ("user,arn\nmia,arn:aws:iam::111122223333:user/mia", "it has no column 'user_creation_time'"),
    ],
)
def test_what_is_not_the_report_says_so_and_changes_nothing(
    aws: AWS, full: Account, read: Read, content: str, why: str
) -> None:
    rewritten(aws, full, lambda _: content + "\n<x>" if content.startswith("<") else content)

    account_import = read(full, new_report=False)

    assert account_import.state == AccountImport.State.FAILED
    assert why in account_import.error
    assert "Nothing was changed" in account_import.error
    assert not IAMUser.objects.exists()
    assert not AccessKey.objects.exists()


def test_more_credentials_than_the_columns_tell_of_are_listed() -> None:
    (row,) = parse(f"{HEAD},additional_credentials_info\n{ROW},3 access keys")

    assert row.has_additional_credentials
    assert not are_as_known(row, [])


HEAD = ",".join(report.COLUMNS)
KEYLESS = "false,N/A,N/A,N/A,N/A"
ROW = (
    "mia,arn:aws:iam::111122223333:user/mia,2026-01-01T00:00:00Z,false,N/A,N/A,N/A,false,"
    f"{KEYLESS},{KEYLESS},false,N/A,false,N/A"
)


def with_keys(*keys: str) -> CredentialReportRow:
    """A row whose key columns are these: `active,last rotated,last used,region,service`."""
    text = ROW
    for key in keys:
        text = text.replace(KEYLESS, key, 1)
    (row,) = parse(f"{HEAD}\n{text}")
    return row


MADE, CHANGED = "2026-11-01T12:00:00Z", "2026-11-20T12:00:00Z"


def test_a_key_whose_status_changed_joins_by_what_is_left() -> None:
    row = with_keys(f"false,{CHANGED},N/A,N/A,N/A")
    key = KnownKey("AKIA1", READ_AT, is_active=False)

    assert joined(row, [key])["AKIA1"].last_rotated == row.access_keys[0].last_rotated
    assert not are_as_known(row, [key])
    assert are_as_known(
        row, [KnownKey("AKIA1", READ_AT, is_active=False, last_rotated=row.access_keys[0].last_rotated)]
    )


def test_of_two_keys_that_fit_one_column_none_is_taken() -> None:
    row = with_keys(f"true,{CHANGED},N/A,N/A,N/A")
    keys = [KnownKey("AKIA1", READ_AT, is_active=True), KnownKey("AKIA2", READ_AT, is_active=True)]

    assert joined(row, keys) == {}


def test_a_key_that_is_younger_than_the_report_takes_nobodys_column() -> None:
    row = with_keys(f"true,{MADE},{CHANGED},us-east-1,s3")
    young = KnownKey("AKIA2", row.access_keys[0].last_used_date or READ_AT, is_active=True)

    assert joined(row, [young]) == {}
    assert joined(row, [KnownKey("AKIA1", READ_AT, is_active=True), young]).keys() == {"AKIA1"}
