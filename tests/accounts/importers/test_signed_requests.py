"""Which signed requests are sent to AWS itself: those for its own places in the account's partition, and no others."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.importers import signed_requests
from accounts.importers.signed_requests import ANOTHER_HOST, ANOTHER_REGION, Unusable
from tests.aws.presigning import WHO_AM_I, presigned

KEY = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}


@pytest.fixture(autouse=True)
def aws_itself(settings: Any) -> None:
    """The portal works with AWS itself; nothing is sent in these tests."""
    settings.AWS_ENDPOINT_URL = None


def read(address: str, *, region: str = "us-east-1", partition: str = "aws") -> signed_requests.SignedRequest:
    text = presigned(address + WHO_AM_I, KEY, region=region)
    return signed_requests.read(text, partition=partition, at=timezone.now())


@pytest.mark.parametrize(
    ("host", "region", "partition"),
    [
        ("sts.amazonaws.com", "us-east-1", "aws"),
        ("sts.us-east-1.amazonaws.com", "us-east-1", "aws"),
        ("sts.eu-central-1.amazonaws.com", "eu-central-1", "aws"),
        ("sts.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn"),
    ],
)
def test_aws_s_own_places_are_taken(host: str, region: str, partition: str) -> None:
    request = read(f"https://{host}", region=region, partition=partition)

    assert request.endpoint.url == f"https://{host}"
    assert request.access_key_id == KEY["AccessKeyId"]
    assert request.query["X-Amz-Signature"] not in repr(request) + request.digest


@pytest.mark.parametrize(
    "address",
    [
        "http://sts.amazonaws.com",
        "https://sts.amazonaws.com:443",
        "https://sts.amazonaws.com:8443",
        "https://sts.amazonaws.com.",
        "https://sts.amazonaws.com.example.test",
        "https://example-sts.amazonaws.com",
        "https://sts.nowhere-1.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com",
        "https://bucket.s3.amazonaws.com",
        "https://execute-api.us-east-1.amazonaws.com",
        "https://sts.cn-north-1.amazonaws.com.cn",
        "https://sts.us-gov-west-1.amazonaws.com",
        "https://127.0.0.1",
        "https://localhost",
        "https://169.254.169.254",
    ],
)
def test_other_places_are_not(address: str) -> None:
    with pytest.raises(Unusable) as refusal:
        read(address)

    assert str(refusal.value) == ANOTHER_HOST.format("an STS endpoint of AWS")


def test_a_region_that_is_not_the_place_s_is_refused() -> None:
    with pytest.raises(Unusable) as refusal:
        read("https://sts.eu-central-1.amazonaws.com", region="us-east-1")

    assert str(refusal.value) == ANOTHER_REGION
