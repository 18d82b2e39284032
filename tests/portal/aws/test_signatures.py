"""The embedded AWS believes nobody who lacks the secret of the key, and takes a presigned request in its time alone."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from django.utils import timezone

from portal.aws.simulator import keys, signatures
from tests.aws import presigning
from tests.aws.server import AWS

ACCOUNT = "111122223333"
# AWS General Reference, "Signature Version 4 test suite": get-vanilla-query-order-key-case.
SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "QUERY_STRING": "Param2=value2&Param1=value1",
    "HTTP_HOST": "example.amazonaws.com",
    "HTTP_X_AMZ_DATE": "20150830T123600Z",
    "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
}
PRESIGNED = {"ExpiresIn": 300, "HttpMethod": "GET"}


@pytest.fixture
def key(aws: AWS) -> dict[str, str]:
    """A new access key of an IAM user."""
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    made: dict[str, str] = outside.create_access_key(UserName="mia")["AccessKey"]
    return made


def sts(aws: AWS, key: dict[str, str], secret: str = "") -> Any:
    make: Any = boto3.client
    return make(
        "sts",
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=secret or key["SecretAccessKey"],
    )


def presigned(aws: AWS, key: dict[str, str], **changes: Any) -> str:
    address: str = sts(aws, key).generate_presigned_url("get_caller_identity", **PRESIGNED | changes)
    return address


def code_of(address: str, method: str = "GET") -> tuple[int, str]:
    """The status and the code of error with which AWS answers."""
    answer = requests.request(method, address, timeout=10)
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def last_use(aws: AWS, key: dict[str, str]) -> dict[str, Any]:
    asked = aws.boto3(ACCOUNT).get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    used: dict[str, Any] = asked["AccessKeyLastUsed"]
    return used


def test_it_reckons_as_aws_does() -> None:
    signature = signatures.read(SUITE)

    assert signature is not None
    assert signatures.is_made_with(SUITE_SECRET, signature, SUITE, b"")
    assert not signatures.is_made_with(SUITE_SECRET, signature, SUITE | {"HTTP_HOST": "example.org"}, b"")


def test_the_secret_of_the_key_is_believed_and_another_is_not(aws: AWS, key: dict[str, str]) -> None:
    assert sts(aws, key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/mia"

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        sts(aws, key, "another").get_caller_identity()


def test_a_presigned_request_says_whose_key_signed_it(aws: AWS, key: dict[str, str]) -> None:
    answer = requests.get(presigned(aws, key), timeout=10)

    assert answer.status_code == 200
    assert f"<Arn>arn:aws:iam::{ACCOUNT}:user/mia</Arn>" in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Amz-Expires": "900"},
        {"X-Amz-Signature": "0" * 64},
        {"X-Amz-Date": "20261125T000000Z"},
        {"Version": "2011-06-16"},
        {"More": "1"},
    ],
)
def test_a_changed_one_is_refused(aws: AWS, key: dict[str, str], changes: dict[str, str]) -> None:
    parts = urlsplit(presigned(aws, key))
    query = urlencode(dict(parse_qsl(parts.query)) | changes)

    assert code_of(parts._replace(query=query).geturl()) == (403, "SignatureDoesNotMatch")


def test_one_for_another_host_or_method_is_refused(aws: AWS, key: dict[str, str]) -> None:
    address = presigned(aws, key)

    assert code_of(address.replace("127.0.0.1", "localhost")) == (403, "SignatureDoesNotMatch")
    assert code_of(address, "POST") == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("moved", "words"), [(-timedelta(seconds=61), "expired"), (timedelta(minutes=6), "not yet current")]
)
def test_one_out_of_its_time_is_refused(aws: AWS, key: dict[str, str], moved: timedelta, words: str) -> None:
    address = presigning.presigned(aws.url + presigning.WHO_AM_I, key, at=timezone.now() + moved, seconds=60)
    answer = requests.get(address, timeout=10)

    assert answer.status_code == 403
    assert f"Signature {words}" in answer.text


def test_one_of_an_inactive_or_deleted_key_is_refused(aws: AWS, key: dict[str, str]) -> None:
    address, outside = presigned(aws, key), aws.boto3(ACCOUNT)
    outside.update_access_key(UserName="mia", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(address) == (403, "InvalidClientTokenId")

    outside.delete_access_key(UserName="mia", AccessKeyId=key["AccessKeyId"])
    assert code_of(address) == (403, "InvalidClientTokenId")


def test_aws_notes_a_use_that_it_believed_and_no_other(aws: AWS, key: dict[str, str]) -> None:
    with pytest.raises(ClientError):
        sts(aws, key, "another").get_caller_identity()
    assert "LastUsedDate" not in last_use(aws, key)

    requests.get(presigned(aws, key), timeout=10)

    used = last_use(aws, key)
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    assert abs(used["LastUsedDate"] - timezone.now()) < timedelta(minutes=1)


def test_temporary_credentials_take_their_token(aws: AWS) -> None:
    session = keys.let_in(ACCOUNT, seconds=900)
    key = {"AccessKeyId": session.access_key_id, "SecretAccessKey": session.secret_access_key}

    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts(aws, key).get_caller_identity()
