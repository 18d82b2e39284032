"""Presigned requests as botocore makes them, by a machine whose clock may be off."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.utils import timezone

WHO_AM_I = "/?Action=GetCallerIdentity&Version=2011-06-15"


def presigned(
    url: str,
    key: Mapping[str, str],
    *,
    at: datetime | None = None,
    seconds: int = 300,
    region: str = "us-east-1",
    service: str = "sts",
    method: str = "GET",
    token: str | None = None,
) -> str:
    """The address, signed with the key, as CreateAccessKey told of it, at the time that the machine thinks it is."""
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], token)
    signer: Any = SigV4QueryAuth(credentials, service, region, seconds)
    request: Any = AWSRequest(method=method, url=url)
    # botocore's `add_auth` is these four steps, with the machine's own clock.
    request.context["timestamp"] = f"{at or timezone.now():%Y%m%dT%H%M%SZ}"
    signer._modify_request_before_signing(request)
    string = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(string, request))
    address: str = request.url
    return address


def ago(**parts: float) -> datetime:
    """A time by the right clock."""
    return timezone.now() - timedelta(**parts)
