"""Whether a request comes from whoever has the secret of its key, and is meant for now: moto takes any secret.

Source: the words of STS's own answers, and IAM User Guide, "Troubleshoot Signature Version 4 requests".
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from moto.core.utils import utcnow

from portal.aws.simulator import keys, signatures
from portal.aws.simulator.answers import Refusal
from portal.aws.simulator.requests import AWSRequest
from portal.aws.simulator.signatures import Signature

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MOMENT = "%Y%m%dT%H%M%SZ"
# How far the clocks may be apart, and how soon a presigned request may be used before its time.
APART, EARLY = timedelta(minutes=15), timedelta(minutes=5)
LONGEST_SECONDS = 604_800
INCOMPLETE = Refusal(400, "IncompleteSignature", "The request signature does not conform to AWS standards.")
WRONG = Refusal(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.",
)
# Set by a layer in front that rewrites requests, after which no signature fits; no client can set it.
BELIEVED = "gatehouse.believed"
EXPIRED = "Signature expired: {} is now earlier than {}"
TOO_EARLY = "Signature not yet current: {} is still later than {}"


def refusal(request: AWSRequest, environ: "WSGIEnvironment") -> Refusal | None:
    """Why AWS does not believe that the key's owner made this request a moment ago, or None."""
    signature, found = request.signature, keys.owner(request.access_key_id)
    if signature is None or found is None or BELIEVED in environ:
        return None
    if not signatures.is_made_with(found[1].secret_access_key, signature, environ, request.body):
        return WRONG
    session = keys.session_of(*found)
    if session is not None and environ.get("HTTP_X_AMZ_SECURITY_TOKEN") != session.session_token:
        return keys.INVALID
    return _untimely(signature, now=utcnow())


def _untimely(signature: Signature, *, now: datetime) -> Refusal | None:
    try:
        at = datetime.strptime(signature.at, MOMENT)  # noqa: DTZ007 -- moto's times are UTC without a zone
        seconds = None if signature.expires is None else int(signature.expires)
    except ValueError:
        return INCOMPLETE
    if signature.at[:8] != signature.date or (seconds is not None and not 0 < seconds <= LONGEST_SECONDS):
        return INCOMPLETE
    lasts, early = (APART, APART) if seconds is None else (timedelta(seconds=seconds), EARLY)
    if at + lasts < now:
        return Refusal(403, WRONG.code, EXPIRED.format(signature.at, (now - lasts).strftime(MOMENT)))
    if at - early > now:
        return Refusal(403, WRONG.code, TOO_EARLY.format(signature.at, (now + early).strftime(MOMENT)))
    return None
