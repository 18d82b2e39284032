"""The way from botocore to the AWS of the tests without a socket: quick, and in the thread of whoever calls."""

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.retries.standard import ExponentialBackoff
from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Wire:
    """Stands for the connection that a fault hangs up."""

    def shutdown(self, how: int) -> None:
        """What follows is the end of the answer."""


class Body(io.BytesIO):
    """An answer as urllib3 gives it."""

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> list[bytes]:
        """All of it at once."""
        return [self.read()]


def connect(monkeypatch: pytest.MonkeyPatch, app: "WSGIApplication") -> None:
    """Let every client of this process call the app itself, and let no read that is repeated pause before."""

    def send(self: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return _answer(app, request)

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)


def _answer(app: "WSGIApplication", request: AWSPreparedRequest) -> AWSResponse:
    try:
        body, status, headers = run_wsgi_app(app, _environ(request), buffered=True)
    except ConnectionResetError as error:
        raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from None
    raw: Any = Body(b"".join(body))
    return AWSResponse(request.url, int(status.split()[0]), HTTPHeaders.from_pairs(headers), raw)


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    body: Any = request.body  # Text or bytes for the services that we call.
    headers = [(name, _text(value)) for name, value in request.headers.items()]
    # The host is a part of what is signed.
    there = urlsplit(request.url)
    builder = EnvironBuilder(
        path=request.url,
        base_url=f"{there.scheme}://{there.netloc}",
        method=request.method,
        data=body or b"",
        headers=headers,
    )
    return builder.get_environ() | {"werkzeug.socket": Wire()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
