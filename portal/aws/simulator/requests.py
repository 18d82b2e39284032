"""One request to the embedded AWS: which service and operation, with what, and whose key signed it."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CREDENTIAL = re.compile(r"Credential=(\w+)/\d{8}/[\w-]*/([\w-]+)/aws4_request")
READING = ("Get", "List", "Describe", "Search", "Simulate")


@dataclass(frozen=True)
class AWSRequest:
    """What a signed request asks for; `parameters` are the query protocol's flat ones, or JSON's top level."""

    path: str
    service: str
    operation: str
    access_key_id: str
    parameters: Mapping[str, str]
    is_json: bool

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
    key, service = _signer(environ.get("HTTP_AUTHORIZATION", ""))
    return AWSRequest(
        path=environ.get("PATH_INFO", ""),
        service=service,
        operation=target.rpartition(".")[2] or parameters.get("Action", ""),
        access_key_id=key,
        parameters=parameters,
        is_json=bool(target),
    )


def _signer(authorization: str) -> tuple[str, str]:
    found = CREDENTIAL.search(authorization)
    return (found[1], found[2]) if found else ("", "")


def _parameters(body: bytes, query: str, *, is_json: bool) -> dict[str, str]:
    if is_json:
        return {key: str(value) for key, value in json.loads(body or b"{}").items()}
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(f"{query}&{text}" if query else text, keep_blank_values=True))
