"""One request to the embedded AWS: which service and operation, with what, and whose key signed it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from portal.aws.simulator import signatures
from portal.aws.simulator.signatures import Signature

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

READING = ("Get", "List", "Describe", "Search", "Simulate")


@dataclass(frozen=True)
class AWSRequest:
    """What a signed request asks for; `parameters` are the query protocol's flat ones, or JSON's top level."""

    path: str
    operation: str
    signature: Signature | None
    parameters: Mapping[str, str]
    body: bytes = field(repr=False)
    is_json: bool

    @property
    def access_key_id(self) -> str:
        """The key that it says it was signed with; "" where nobody signed it."""
        return self.signature.access_key_id if self.signature else ""

    @property
    def service(self) -> str:
        """The service that it was signed for; "" where nobody signed it."""
        return self.signature.service if self.signature else ""

    @cached_property
    def is_change(self) -> bool:
        """Whether the operation may change what AWS holds; AssumeRole does, it makes a key."""
        return bool(self.operation) and not self.operation.startswith(READING)


def read(environ: "WSGIEnvironment") -> AWSRequest:
    """Read the body once and put it back for whoever comes next."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    parameters = _parameters(body, environ.get("QUERY_STRING", ""), is_json=bool(target))
    return AWSRequest(
        path=environ.get("PATH_INFO", ""),
        operation=target.rpartition(".")[2] or parameters.get("Action", ""),
        signature=signatures.read(environ),
        parameters=parameters,
        body=body,
        is_json=bool(target),
    )


def _parameters(body: bytes, query: str, *, is_json: bool) -> dict[str, str]:
    if is_json:
        return {key: str(value) for key, value in json.loads(body or b"{}").items()}
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(f"{query}&{text}" if query else text, keep_blank_values=True))
