"""Every odd answer becomes the error that says what to do next."""

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from portal.aws import codes, connect
from portal.aws.connect import Door
from portal.aws.errors import AWSError, Conflict, Denied, NotFound, Refused, TryLater, Unknown, translate, translated
from portal.aws.iam import IAM
from tests.aws.server import AWS
from tests.aws.strict import Fault

ACCOUNT = "111122223333"


@pytest.fixture
def door(aws: AWS) -> Door:
    return aws.account(ACCOUNT)


@pytest.fixture
def iam(door: Door) -> IAM:
    return connect.iam(door)


def create(iam: IAM) -> None:
    iam.create_user(user_name="ledger-writer", tags={}, permissions_boundary=None)


def answered(code: str, message: str = "words", status: int = 400) -> boto.ClientError:
    facts: Any = {"RequestId": "request-1", "HTTPStatusCode": status}
    return boto.ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": facts}, "CreateUser")


@pytest.mark.parametrize(
    ("fault", "expected", "is_doubtful", "is_made"),
    [
        (Fault.DROP_BEFORE, TryLater, True, False),
        (Fault.DROP_AFTER, TryLater, True, True),
        (Fault.ERROR_BEFORE, TryLater, True, False),
        (Fault.ERROR_AFTER, TryLater, True, True),
        (Fault.TRUNCATE, TryLater, True, True),
        (Fault.THROTTLE, TryLater, False, False),
        (Fault.BUSY, TryLater, False, False),
        (Fault.EXPIRED, TryLater, False, False),
        (Fault.DENY, Denied, None, False),
        (Fault.ABSENT, NotFound, None, False),
        (Fault.UNKNOWN, Unknown, None, False),
    ],
)
def test_a_write_is_sent_once_whatever_befalls_it(
    aws: AWS, iam: IAM, fault: Fault, expected: type[AWSError], is_doubtful: bool | None, is_made: bool
) -> None:
    aws.faults.inject("CreateUser", fault)

    with pytest.raises(expected) as raised:
        create(iam)

    assert type(raised.value) is expected
    assert getattr(raised.value, "is_doubtful", None) is is_doubtful
    assert len(aws.calls("CreateUser")) == 1
    assert [user["UserName"] for user in aws.boto3(ACCOUNT).list_users()["Users"]] == ["ledger-writer"] * is_made


def test_a_read_is_asked_again(aws: AWS, iam: IAM) -> None:
    aws.faults.inject("ListGroups", Fault.DROP_BEFORE)
    aws.faults.inject("ListGroups", Fault.ERROR_BEFORE, nth=2)

    assert iam.list_groups() == ()
    assert len(aws.calls("ListGroups")) == 3


def test_a_read_that_never_answers_well_is_for_later(aws: AWS, iam: IAM) -> None:
    aws.faults.inject("ListGroups", Fault.ERROR_BEFORE, times=3)

    with pytest.raises(TryLater):
        iam.list_groups()


def test_a_call_that_hangs_is_given_up_in_doubt(aws: AWS, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "READ_TIMEOUT_SECONDS", 0.3)
    hang = aws.faults.hang("CreateUser")

    with pytest.raises(TryLater, match="no answer arrived") as later:
        create(connect.iam(door))

    assert later.value.is_doubtful is True
    assert hang.reached.is_set()
    assert len(aws.calls("CreateUser")) == 1


def test_a_missing_operation_of_the_embedded_aws_is_unknown(aws: AWS, iam: IAM) -> None:
    with pytest.raises(Unknown, match="cannot do GetMFADevice yet"):
        iam._read("GetMFADevice", SerialNumber="GAHT12345678")


def test_a_taken_name_is_a_conflict(aws: AWS, iam: IAM) -> None:
    aws.boto3(ACCOUNT).create_user(UserName="LEDGER-Writer")

    with pytest.raises(Conflict, match=r"CreateUser conflicts with what AWS holds: .*ledger-writer already exists"):
        create(iam)


def test_a_bad_name_is_refused(iam: IAM) -> None:
    with pytest.raises(Refused, match="AWS refused CreateUser"):
        iam.create_user(user_name="a b/c", tags={}, permissions_boundary=None)


def test_what_botocore_refuses_is_refused_without_quoting_it() -> None:
    report = "Invalid type for parameter Password, value: hunter2, type: <class 'int'>, valid types: <class 'str'>"

    refused = translate(boto.ParamValidationError(report=report), "CreateLoginProfile")

    assert type(refused) is Refused
    assert "Invalid type for parameter Password" in str(refused)
    assert "hunter2" not in str(refused)


def test_a_validation_error_does_not_quote_a_password() -> None:
    message = "1 validation error detected: Value 'it's hunter2' at 'newPassword' failed to satisfy constraint"

    refused = translate(answered("ValidationError", message), "ChangePassword")

    assert "hunter2" not in str(refused)
    assert "at 'newPassword' failed" in str(refused)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        *((code, 400, TryLater) for code in sorted(codes.THROTTLED | codes.BUSY | codes.TIMING)),
        *((code, 500, TryLater) for code in sorted(codes.OWN_FAULTS)),
        *((code, 403, Denied) for code in sorted(codes.DENIALS)),
        *((code, 400, Refused) for code in sorted(codes.REFUSALS)),
        *((code, 409, Conflict) for code in sorted(codes.CONFLICTS)),
        *((code, 404, NotFound) for code in sorted(codes.ABSENT)),
        ("500", 500, TryLater),
        ("500", 0, TryLater),
        ("502", 502, TryLater),
        ("NotImplemented", 501, Unknown),
        ("SomethingForbidden", 403, Denied),
        ("InvalidAction", 400, Unknown),
        ("NeverHeardOf", 409, Unknown),
        ("", 0, Unknown),
    ],
)
def test_a_code_is_sorted(code: str, status: int, expected: type[AWSError]) -> None:
    error = translate(answered(code, status=status), "CreateUser")

    assert type(error) is expected
    assert (error.operation, error.code, error.request_id) == ("CreateUser", code, "request-1")


@pytest.mark.parametrize(
    ("code", "status", "is_doubtful"),
    [("Throttling", 503, False), ("ServiceUnavailable", 503, True), ("ServiceFailure", 500, True), ("500", 500, True)],
)
def test_doubt_is_left_by_what_broke_inside_aws_only(code: str, status: int, is_doubtful: bool) -> None:
    error = translate(answered(code, status=status), "CreateUser")

    assert isinstance(error, TryLater)
    assert error.is_doubtful is is_doubtful
    assert str(error).endswith("It may have happened all the same.") is is_doubtful


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Signature expired: 20261123T120000Z is now earlier than 20261123T121500Z", TryLater),
        ("Signature not yet current: 20261123T124500Z is still later than 20261123T121500Z", TryLater),
        ("The request signature we calculated does not match the signature you provided.", Denied),
    ],
)
def test_a_skewed_clock_is_not_a_wrong_secret(message: str, expected: type[AWSError]) -> None:
    error = translate(answered("SignatureDoesNotMatch", message, 403), "CreateUser")

    assert type(error) is expected


@pytest.mark.parametrize(
    ("error", "expected", "is_doubtful"),
    [
        (boto.EndpointConnectionError(endpoint_url="u"), TryLater, False),
        (boto.ConnectTimeoutError(endpoint_url="u"), TryLater, False),
        (boto.ProxyConnectionError(proxy_url="u"), TryLater, False),
        (boto.SSLError(endpoint_url="u", error=OSError("e")), TryLater, False),
        (boto.ReadTimeoutError(endpoint_url="u"), TryLater, True),
        (boto.ConnectionClosedError(endpoint_url="u"), TryLater, True),
        (boto.ResponseStreamingError(error="e"), TryLater, True),
        (boto.HTTPClientError(error="e"), TryLater, True),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), TryLater, True),
        (ResponseParserError("not XML"), TryLater, True),
        (boto.CredentialRetrievalError(provider="p", error_msg="e"), TryLater, False),
        (boto.NoCredentialsError(), Denied, None),
        (boto.PartialCredentialsError(provider="p", cred_var="v"), Denied, None),
        (boto.UnknownServiceError(service_name="s", known_service_names="n"), Unknown, None),
    ],
)
def test_an_exception_without_an_answer_is_sorted(
    error: Exception, expected: type[AWSError], is_doubtful: bool | None
) -> None:
    with pytest.raises(expected) as raised, translated("CreateUser"):
        raise error

    assert type(raised.value) is expected
    assert getattr(raised.value, "is_doubtful", None) is is_doubtful


def test_there_are_at_most_seven_classes() -> None:
    kinds = set(AWSError.__subclasses__())

    assert kinds == {TryLater, Denied, Refused, Conflict, NotFound, Unknown}
    # The portal's own pace is no error of AWS's: to everybody but the deliveries it is one more "try later".
    assert [finer.__name__ for kind in kinds for finer in kind.__subclasses__()] in ([], ["NotYet"])
