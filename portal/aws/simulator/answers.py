"""Answers in the shape of AWS's, for what is decided before moto is asked."""

import json
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from portal.aws.simulator.requests import AWSRequest

ERROR = (
    '<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/2010-05-08/"><Error><Type>{type}</Type><Code>{code}</Code>'
    "<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
)
SERVER_FAULT = 500


@dataclass(frozen=True)
class Refusal:
    """An error of AWS: HTTP status, code and words."""

    status: int
    code: str
    message: str


class RefusedByAWS(Exception):
    """Raised inside moto for what its own exceptions cannot say: they know a service's own errors only."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def answer(request: AWSRequest, refusal: Refusal) -> Response:
    """The refusal as botocore reads it, in the protocol of the service."""
    if request.is_json:
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
        return Response(body, status=refusal.status, content_type="application/x-amz-json-1.1")
    body = ERROR.format(
        service=request.service or "iam",
        type="Sender" if refusal.status < SERVER_FAULT else "Receiver",
        code=escape(refusal.code),
        message=escape(refusal.message),
        request_id=uuid4(),
    )
    return Response(body, status=refusal.status, content_type="text/xml")
