"""A signed GetCallerIdentity that somebody else made, sent on to STS, which says whose key signed it.

Nothing of the portal's own goes with it, so the answer speaks of the key that signed it and of no other. STS API
reference, "GetCallerIdentity": it takes no permission.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore import exceptions as boto
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader
from botocore.parsers import create_parser
from botocore.regions import EndpointResolver
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies
from django.conf import settings

from portal.aws.calls import Answer
from portal.aws.errors import Unknown, translated
from portal.aws.sts import CallerIdentity

OPERATION = "GetCallerIdentity"
TIMEOUT_SECONDS = 5
# An answer has a few hundred bytes.
LONGEST_ANSWER = 16_384
ERRORS_BEGIN = 300


@dataclass(frozen=True)
class Endpoint:
    """Where STS answers: `url` without a path; `region` is the one that it takes signatures for, None for any."""

    url: str
    region: str | None


def endpoints(partition: str) -> Mapping[str, Endpoint]:
    """Where the portal asks STS, by host and port: the configured place alone, else AWS's own ones of the partition."""
    if settings.AWS_ENDPOINT_URL is None:
        return _of_aws(partition)
    parts = urlsplit(settings.AWS_ENDPOINT_URL)
    return {parts.netloc: Endpoint(f"{parts.scheme}://{parts.netloc}", None)}


def send(endpoint: Endpoint, query: Mapping[str, str]) -> CallerIdentity:
    """Send the signed query there once, follow no redirect, and tell what AWS says of whoever signed it.

    :raises AWSError: as :mod:`portal.aws.errors` sorts it; `Denied` where AWS does not believe the signature.
    """
    with translated(OPERATION):
        answer = _answer(endpoint, query)
    if not {"UserId", "Account", "Arn"} <= set(answer):
        raise Unknown(operation=OPERATION, code="Answer", message="it does not say who signed the request.")
    return CallerIdentity(user_id=answer["UserId"], account=answer["Account"], arn=answer["Arn"])


@cache
def _of_aws(partition: str) -> Mapping[str, Endpoint]:
    """From botocore's own table, with the FIPS ones and the global one, which takes signatures for us-east-1."""
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    found = {}
    for name in resolver.get_available_endpoints("sts", partition, allow_non_regional=True):
        told: Any = resolver.construct_endpoint("sts", name, partition_name=partition)
        region = told.get("credentialScope", {}).get("region", name)
        found[told["hostname"]] = Endpoint(f"https://{told['hostname']}", region)
    return found


def _answer(endpoint: Endpoint, query: Mapping[str, str]) -> Answer:
    """:raises boto.ClientError: for an error of AWS's; other errors of botocore's where no answer came."""
    request = AWSRequest(method="GET", url=f"{endpoint.url}/?{urlencode(query)}", stream_output=True)
    session = URLLib3Session(timeout=TIMEOUT_SECONDS, proxies=get_environ_proxies(endpoint.url))
    try:
        response = session.send(request.prepare())
        # Its parser sees an answer that was cut off; the length that was announced need not be a number.
        body = StreamingBody(response.raw, None).read(LONGEST_ANSWER + 1)  # type: ignore[arg-type]
    finally:
        session.close()
    if len(body) > LONGEST_ANSWER:
        raise Unknown(operation=OPERATION, code="Answer", message="it is too long.")
    told = {"status_code": response.status_code, "headers": response.headers, "body": body, "context": {}}
    try:
        parsed: Any = create_parser("query").parse(told, _shape())
    except KeyError:
        raise Unknown(operation=OPERATION, code="Answer", message="it is no answer to this.") from None
    if response.status_code >= ERRORS_BEGIN:
        raise boto.ClientError(parsed, OPERATION)
    answer: Answer = parsed
    return answer


@cache
def _shape() -> Any:
    """The answer's; Any because for botocore's types an operation may have none."""
    return botocore.session.get_session().get_service_model("sts").operation_model(OPERATION).output_shape
