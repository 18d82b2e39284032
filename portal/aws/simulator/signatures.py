"""Signature Version 4, reckoned anew from the request that bears it.

IAM User Guide, "Elements of an AWS API request signature" and "Create a signed AWS API request"; in a header, or as a
query of a presigned request, which has an end of its own.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ALGORITHM = "AWS4-HMAC-SHA256"
CREDENTIAL = re.compile(r"(\w+)/(\d{8})/([\w-]*)/([\w-]+)/aws4_request", re.ASCII)
IN_HEADER = re.compile(rf"{ALGORITHM} Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)")


@dataclass(frozen=True)
class Signature:
    """What a request says of its signature; `expires` in seconds where it is presigned, else None."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    at: str
    expires: str | None

    @property
    def scope(self) -> str:
        """For what the signing key is good."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read(environ: "WSGIEnvironment") -> Signature | None:
    """The signature that a request bears; None where it bears none that can be read."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if query.get("X-Amz-Algorithm") == ALGORITHM:
        credential, headers = query.get("X-Amz-Credential", ""), query.get("X-Amz-SignedHeaders", "")
        value, at, expires = query.get("X-Amz-Signature", ""), query.get("X-Amz-Date", ""), query.get("X-Amz-Expires")
        return _signature(credential, headers, value, at, expires or "")
    found = IN_HEADER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    return _signature(found[1], found[2], found[3], environ.get("HTTP_X_AMZ_DATE", ""), None) if found else None


def _signature(credential: str, headers: str, value: str, at: str, expires: str | None) -> Signature | None:
    found = CREDENTIAL.fullmatch(credential)
    if found is None:
        return None
    return Signature(
        access_key_id=found[1], date=found[2], region=found[3], service=found[4],
        signed_headers=tuple(headers.split(";")), value=value, at=at, expires=expires,
    )  # fmt: skip


def is_made_with(secret: str, signature: Signature, environ: "WSGIEnvironment", body: bytes) -> bool:
    """Whether whoever has the secret signed this very request, of which the host is always a part."""
    expected = _mac(_signing_key(signature, secret), _string_to_sign(signature, environ, body)).hex()
    return "host" in signature.signed_headers and hmac.compare_digest(expected, signature.value)


def in_header(signature: Signature) -> str:
    """A presigned request's signature where moto looks for whose request it is."""
    headers = ";".join(signature.signed_headers)
    credential = f"{signature.access_key_id}/{signature.scope}"
    return f"{ALGORITHM} Credential={credential}, SignedHeaders={headers}, Signature={signature.value}"


def _string_to_sign(signature: Signature, environ: "WSGIEnvironment", body: bytes) -> str:
    digest = sha256(_canonical_request(signature, environ, body).encode()).hexdigest()
    return "\n".join((ALGORITHM, signature.at, signature.scope, digest))


def _canonical_request(signature: Signature, environ: "WSGIEnvironment", body: bytes) -> str:
    headers = _headers(environ)
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in signature.signed_headers]
    return "\n".join(
        (
            environ["REQUEST_METHOD"],
            quote(environ.get("PATH_INFO", "") or "/", safe="/~"),
            _canonical_query(environ.get("QUERY_STRING", "")),
            *lines,
            "",
            ";".join(signature.signed_headers),
            sha256(body).hexdigest(),
        )
    )


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    quoted = [(quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs if name != "X-Amz-Signature"]
    return "&".join(f"{name}={value}" for name, value in sorted(quoted))


def _headers(environ: "WSGIEnvironment") -> Mapping[str, str]:
    sent = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    sent |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {name.lower().replace("_", "-"): str(value) for name, value in sent.items()}


def _signing_key(signature: Signature, secret: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()
