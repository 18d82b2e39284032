"""Reading a signed GetCallerIdentity that somebody pasted, and having AWS say whose key signed it.

Only a request that could come from the commands on the page is sent on: to a place that the portal knows itself, put
together anew from parts that were looked at one by one. What was pasted is in no error, log or row.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl

from portal.aws import errors, presigned
from portal.aws.presigned import Endpoint

logger = logging.getLogger(__name__)

LONGEST = 2_048
LONGEST_SECONDS = 900
# AWS takes a presigned request up to five minutes before its time; its own words say "+ 5 min.".
EARLY = timedelta(minutes=5)
MOMENT = "%Y%m%dT%H%M%SZ"
# Nothing but what botocore writes: no user, no fragment, no path, and no character that two parsers read differently.
ADDRESS = re.compile(r"(https?)://([a-z0-9.-]{1,253}(?::[0-9]{1,5})?)/\?([A-Za-z0-9%=&._~+-]+)", re.ASCII)
FORMS = {
    "Action": re.compile("GetCallerIdentity"),
    "Version": re.compile("2011-06-15"),
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": re.compile(r"\w{16,128}/\d{8}/[a-z0-9-]{1,40}/sts/aws4_request", re.ASCII),
    "X-Amz-Date": re.compile(r"\d{8}T\d{6}Z", re.ASCII),
    "X-Amz-Expires": re.compile(r"[1-9]\d{0,5}", re.ASCII),
    "X-Amz-SignedHeaders": re.compile("host"),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
}
# With these AWS answers what is too late or too early; the first stands for a wrong secret too, by other words.
OF_TIME = frozenset({"SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"})

RUBBISH = (
    "This is not a signed GetCallerIdentity request. Run the command that is shown here, and paste the whole address "
    "that it prints, from https to the end."
)
ANOTHER_HOST = (
    "This request is not for {}, where the portal asks AWS. Run the command as it is shown here, and paste the address "
    "that it prints."
)
ANOTHER_REGION = "This request was signed for another region than it is sent to. Run the command as it is shown here."
TOO_LONG = "This request is good for longer than 15 minutes. Run the command as it is shown here: it asks for five."
EXPIRED = (
    "This request has expired: by the clock of the machine that made it, it was good until {:%H:%M} UTC on {:%d %B}, "
    "and now it is {:%H:%M} UTC. Make another one and paste it at once; where it was made just now, that clock is off."
)
CLOCK_AHEAD = (
    "The clock of the machine that made this request is off: there it was {:%H:%M} UTC on {:%d %B}, and now it is "
    "{:%H:%M} UTC. Set it right, then make another one: AWS refuses what comes from a wrong clock."
)
NOT_KNOWN_YET = (
    "AWS does not take the new key. It can be some seconds before AWS knows a new key everywhere: try again in a few "
    "seconds. Where it stays so, look whether the key is active. The old key keeps working."
)
WRONG_SIGNATURE = (
    "AWS does not believe the signature: the secret there is not that of the new key, or what was pasted was changed "
    "on its way. Look at the secret in that place, then run the command again."
)
UNTIMELY = (
    "AWS says that this request is not good now. Make another one and paste it at once; where it was made just now, "
    "the clock of the machine that made it is off."
)
NOT_ASKED = "AWS could not be asked. Try again in a few seconds. The old key keeps working."
REFUSED = "AWS refused this request. Make another one with the command that is shown here. The old key keeps working."


class Unusable(Exception):
    """What was pasted proves nothing; its text says why and what to do, and nothing of what was pasted."""


@dataclass(frozen=True)
class SignedRequest:
    """A request that is in order by itself; whose key signed it AWS says."""

    access_key_id: str
    expires_at: datetime
    endpoint: Endpoint
    query: Mapping[str, str] = field(repr=False)

    @property
    def digest(self) -> str:
        """What tells it apart from every other, and tells nothing else."""
        return sha256(self.query["X-Amz-Signature"].encode()).hexdigest()


@dataclass(frozen=True)
class Signer:
    """Whose key signed a request, by AWS's word; `account_id` has 12 digits."""

    user_id: str
    account_id: str


def read(text: str, *, partition: str, at: datetime) -> SignedRequest:
    """The request that was pasted.

    :raises Unusable: where it is anything else than one for STS of this partition, good now and for 15 minutes at most.
    """
    found = ADDRESS.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        raise Unusable(RUBBISH)
    endpoint = _endpoint(found[1], found[2], partition)
    query = _query(found[3])
    access_key_id, date, region = _credential(query)
    if endpoint.region not in (None, region):
        raise Unusable(ANOTHER_REGION)
    expires_at = _expires_at(_made_at(query["X-Amz-Date"], date), query["X-Amz-Expires"], at)
    return SignedRequest(access_key_id, expires_at, endpoint, query)


def ask(request: SignedRequest) -> Signer:
    """Whom AWS takes for the one who signed it. The caller is in no transaction: AWS may take its time.

    :raises Unusable: where AWS does not believe it, or cannot be asked.
    """
    try:
        identity = presigned.send(request.endpoint, request.query)
    except errors.AWSError as error:
        logger.info("AWS did not take a signed request for a proof: %s", type(error).__name__)
        raise Unusable(_words(error)) from None
    return Signer(identity.user_id, identity.account)


def _endpoint(scheme: str, host: str, partition: str) -> Endpoint:
    known = presigned.endpoints(partition)
    endpoint = known.get(host)
    if endpoint is None or not endpoint.url.startswith(f"{scheme}://"):
        where = next(iter(known)) if len(known) == 1 else "an STS endpoint of AWS"
        raise Unusable(ANOTHER_HOST.format(where))
    return endpoint


def _query(text: str) -> Mapping[str, str]:
    """Each parameter once, none missing, none besides."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=len(FORMS))
    except ValueError:
        raise Unusable(RUBBISH) from None
    query = dict(pairs)
    if len(pairs) != len(FORMS) or set(query) != set(FORMS):
        raise Unusable(RUBBISH)
    if not all(form.fullmatch(query[name]) for name, form in FORMS.items()):
        raise Unusable(RUBBISH)
    return query


def _credential(query: Mapping[str, str]) -> tuple[str, str, str]:
    """Key, date and region."""
    access_key_id, date, region, *_ = query["X-Amz-Credential"].split("/")
    return access_key_id, date, region


def _made_at(text: str, date: str) -> datetime:
    try:
        made_at = datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise Unusable(RUBBISH) from None
    if not text.startswith(date):
        raise Unusable(RUBBISH)
    return made_at


def _expires_at(made_at: datetime, seconds: str, at: datetime) -> datetime:
    # What was made in the far future has no end that could be reckoned.
    if made_at > at + EARLY:
        raise Unusable(CLOCK_AHEAD.format(made_at, made_at, at))
    if int(seconds) > LONGEST_SECONDS:
        raise Unusable(TOO_LONG)
    expires_at = made_at + timedelta(seconds=int(seconds))
    if expires_at <= at:
        raise Unusable(EXPIRED.format(expires_at, expires_at, at))
    return expires_at


def _words(error: errors.AWSError) -> str:
    if isinstance(error, errors.TryLater):
        return UNTIMELY if error.code in OF_TIME else NOT_ASKED
    return {"InvalidClientTokenId": NOT_KNOWN_YET, "SignatureDoesNotMatch": WRONG_SIGNATURE}.get(error.code, REFUSED)
