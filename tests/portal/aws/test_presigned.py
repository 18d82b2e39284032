"""A signed request goes to STS, once, and nowhere that the answer says; what comes back is believed with care."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from portal.aws import presigned
from portal.aws.errors import AWSError, Denied, TryLater, Unknown
from portal.aws.presigned import Endpoint
from portal.aws.simulator import hub
from tests.aws.presigning import WHO_AM_I
from tests.aws.presigning import presigned as signed
from tests.aws.server import AWS

QUERY = {"Action": "GetCallerIdentity", "X-Amz-Signature": "0" * 64}
REFUSAL = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"


@contextmanager
def answering(answer: Callable[[Request], Response]) -> Iterator[Endpoint]:
    """An STS that is not AWS's."""
    server = make_server("127.0.0.1", 0, Request.application(answer), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.port}", None)
    finally:
        server.shutdown()
        server.server_close()


def refused(endpoint: Endpoint) -> AWSError:
    with pytest.raises(AWSError) as refusal:
        presigned.send(endpoint, QUERY)
    assert QUERY["X-Amz-Signature"] not in f"{refusal.value} {refusal.value.message}"
    return refusal.value


def test_aws_says_whose_key_signed_it(aws: AWS) -> None:
    key = {"AccessKeyId": hub.HUB_ACCESS_KEY_ID, "SecretAccessKey": hub.HUB_SECRET_ACCESS_KEY}
    query = dict(parse_qsl(urlsplit(signed(aws.url + WHO_AM_I, key)).query))
    [endpoint] = presigned.endpoints("aws").values()

    assert presigned.send(endpoint, query).arn == f"arn:aws:iam::{hub.HUB_ACCOUNT_ID}:user/{hub.HUB_USER_NAME}"
    with pytest.raises(Denied, match="does not match"):
        presigned.send(endpoint, query | {"X-Amz-Signature": "0" * 64})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0)
        headers = {"Location": f"http://127.0.0.1:{trap.getsockname()[1]}/"}
        with answering(lambda _: Response("", status=status, headers=headers)) as endpoint:
            assert isinstance(refused(endpoint), TryLater)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("<html><p>Welcome", 200, TryLater),
        ("<GetCallerIdentityResponse/>", 200, Unknown),
        ("<A><GetCallerIdentityResult><Arn>x</Arn></GetCallerIdentityResult></A>", 200, Unknown),
        ("", 200, TryLater),
        ("x" * 20_000, 200, Unknown),
        ("", 500, TryLater),
        (REFUSAL.format("InvalidClientTokenId", "x"), 403, Denied),
        (REFUSAL.format("SignatureDoesNotMatch", "Signature expired: x is now earlier than y"), 403, TryLater),
        (REFUSAL.format("Throttling", "Rate exceeded"), 400, TryLater),
        (REFUSAL.format("New", "x"), 400, Unknown),
        ('<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "dd">]><a>&b;</a>', 200, Unknown),
    ],
)
def test_an_odd_answer_is_no_identity(body: str, status: int, kind: type[AWSError]) -> None:
    with answering(lambda _: Response(body, status=status, content_type="text/xml")) as endpoint:
        assert type(refused(endpoint)) is kind


def test_it_is_asked_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presigned, "TIMEOUT_SECONDS", 0.2)
    asked, done = [], threading.Event()

    def hanging(request: Request) -> Response:
        asked.append(request.path)
        done.wait(5)
        return Response("")

    with answering(hanging) as endpoint:
        assert isinstance(refused(endpoint), TryLater)
        done.set()
    assert asked == ["/"]


def test_where_nobody_answers_it_is_for_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert isinstance(refused(Endpoint(f"http://127.0.0.1:{port}", None)), TryLater)


@pytest.mark.parametrize(
    ("partition", "host", "region"),
    [
        ("aws", "sts.amazonaws.com", "us-east-1"),
        ("aws", "sts.eu-central-1.amazonaws.com", "eu-central-1"),
        ("aws", "sts-fips.us-west-2.amazonaws.com", "us-west-2"),
        ("aws-cn", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    ],
)
def test_without_a_configured_place_it_is_aws_s_own_of_the_partition(
    settings: Any, partition: str, host: str, region: str
) -> None:
    settings.AWS_ENDPOINT_URL = None

    assert presigned.endpoints(partition)[host] == Endpoint(f"https://{host}", region)
    assert [name for name in ("aws", "aws-cn", "aws-us-gov") if host in presigned.endpoints(name)] == [partition]
