"""What people paste where a signed request belongs, by mistake or on purpose, and what they are told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.utils import timezone

from accounts.importers.signed_requests import (
    ANOTHER_HOST,
    CLOCK_AHEAD,
    EXPIRED,
    RUBBISH,
    TOO_LONG,
    WRONG_SIGNATURE,
)
from accounts.usecases.rotation_proofs import OF_ANOTHER_KEY, OF_THE_OLD_KEY
from tests.aws.presigning import WHO_AM_I, ago, presigned

Key = Mapping[str, str]


@dataclass(frozen=True)
class Pasting:
    """Where AWS is, where a trap listens (host and port), and the keys as CreateAccessKey told of them."""

    url: str
    trap: str
    old: Key
    new: Key
    others: Key

    @property
    def good(self) -> str:
        """One that proves."""
        return presigned(self.url + WHO_AM_I, self.new)

    @property
    def host(self) -> str:
        """Where AWS is, without the scheme."""
        return urlsplit(self.url).netloc

    def at(self, host: str, scheme: str = "http") -> str:
        """A good one, sent elsewhere."""
        return self.good.replace(self.url, f"{scheme}://{host}")

    def signed_for(self, host: str, scheme: str = "http") -> str:
        """One that was signed for elsewhere."""
        return presigned(f"{scheme}://{host}{WHO_AM_I}", self.new)

    def changed(self, **changes: str) -> str:
        """A good one with parameters of other values; "" takes one away, and `__` stands for a hyphen."""
        parts = urlsplit(self.good)
        query = dict(parse_qsl(parts.query)) | {name.replace("__", "-"): value for name, value in changes.items()}
        return parts._replace(query=urlencode({name: value for name, value in query.items() if value})).geturl()

    def credential(self, **changes: str) -> str:
        """A good one with another scope."""
        scope = {"key": self.new["AccessKeyId"], "date": f"{timezone.now():%Y%m%d}", "region": "us-east-1"}
        scope |= {"service": "sts", "end": "aws4_request", **changes}
        return self.changed(X__Amz__Credential="/".join(scope.values()))


Bad = tuple[Callable[[Pasting], str], str]


def _begin(words: str) -> str:
    """The words up to what is filled in."""
    return words.partition("{")[0]


def _of(words: str, pastes: Mapping[str, Callable[[Pasting], str]]) -> dict[str, Bad]:
    return {name: (paste, _begin(words)) for name, paste in pastes.items()}


NO_ADDRESS = _of(
    RUBBISH,
    {
        "words": lambda _: "It works!",
        "the answer of the CLI": lambda p: f'{{"UserId": "AIDA1", "Account": "1", "Arn": "{p.new["AccessKeyId"]}"}}',
        "markup": lambda p: f"<script src='{p.good}'></script>",
        "the command itself": lambda _: "python3 -c 'import boto3; print(1)'",
        "the secret": lambda p: p.new["SecretAccessKey"],
        "two of them": lambda p: f"{p.good}\n{p.good}",
        "broken in two": lambda p: p.good.replace("&X-Amz-Date", "\n&X-Amz-Date"),
        "half of it": lambda p: p.good[: len(p.good) // 2],
        "far too long": lambda p: p.good + "&x=" + "y" * 100_000,
        "a script": lambda _: "javascript:alert(1)",
        "a file": lambda _: "file:///etc/passwd",
        "gopher": lambda p: p.at(p.trap, "gopher"),
        "no scheme": lambda p: p.good.removeprefix("http:"),
        "a fragment": lambda p: f"{p.good}#there",
        "letters of another script": lambda p: p.at(p.host.replace("1", "１")),
        "a soft hyphen": lambda p: p.at(p.host.replace("0", "0\u00ad")),
        "a bell": lambda p: f"\x07{p.good}",
        "a tab in the host": lambda p: p.at(p.host.replace(".", ".\t")),
    },
)
ELSEWHERE = {
    **_of(
        RUBBISH,
        {
            "a user": lambda p: p.at(f"somebody@{p.host}"),
            "a user that looks like AWS": lambda p: p.at(f"{p.host}@{p.trap}"),
            "a backslash": lambda p: p.at(f"{p.trap}\\@{p.host}"),
            "a fragment before the host": lambda p: p.at(f"{p.trap}#@{p.host}"),
            "a path": lambda p: p.good.replace("/?", "/latest/meta-data/?"),
            "two slashes": lambda p: p.good.replace("/?", "//?"),
            "no path": lambda p: p.good.replace("/?", "?"),
            "IPv6": lambda p: p.at(f"[::1]:{p.trap.rpartition(':')[2]}"),
            "in capitals": lambda p: p.at("LOCALHOST:1"),
        },
    ),
    **_of(
        ANOTHER_HOST,
        {
            "a trap": lambda p: p.at(p.trap),
            "signed for a trap": lambda p: p.signed_for(p.trap),
            "localhost by its name": lambda p: p.signed_for(p.trap.replace("127.0.0.1", "localhost")),
            "as a number": lambda p: p.signed_for(p.trap.replace("127.0.0.1", "2130706433")),
            "abbreviated": lambda p: p.signed_for(p.trap.replace("127.0.0.1", "127.1")),
            "with a dot behind": lambda p: p.signed_for(p.host.replace(":", ".:")),
            "another port": lambda p: p.signed_for("127.0.0.1:1"),
            "no port": lambda p: p.signed_for("127.0.0.1"),
            "another scheme": lambda p: p.signed_for(p.host, "https"),
            "AWS, where the portal works with another place": lambda p: p.signed_for("sts.amazonaws.com", "https"),
            "almost AWS": lambda p: p.signed_for("sts.amazonaws.com.example.test", "https"),
            "the metadata service": lambda p: p.signed_for("169.254.169.254"),
        },
    ),
}
PARAMETERS = {
    **_of(
        RUBBISH,
        {
            "another action": lambda p: p.changed(Action="GetSessionToken"),
            "an action that changes": lambda p: presigned(f"{p.url}/?Action=DeleteUser&UserName=mia", p.new),
            "an action in other letters": lambda p: p.changed(Action="getcalleridentity"),
            "two actions": lambda p: f"{p.good}&Action=AssumeRole",
            "another version": lambda p: p.changed(Version="2010-05-08"),
            "one more": lambda p: f"{p.good}&RoleArn=x",
            "none": lambda p: f"{p.url}/?x",
            "no signature": lambda p: p.changed(X__Amz__Signature=""),
            "a signature that is none": lambda p: p.changed(X__Amz__Signature="g" * 64),
            "a line in the signature": lambda p: p.changed(X__Amz__Signature="0" * 64 + "\r\n"),
            "more headers": lambda p: p.changed(X__Amz__SignedHeaders="host;x-amz-date"),
            "another algorithm": lambda p: p.changed(X__Amz__Algorithm="AWS4-HMAC-SHA1"),
            "temporary credentials": lambda p: presigned(p.url + WHO_AM_I, p.new, token="temporary"),
            "another service": lambda p: presigned(p.url + WHO_AM_I, p.new, service="iam"),
            "a scope of another day": lambda p: p.credential(date="20200101"),
            "a scope without an end": lambda p: p.credential(end="aws3"),
            "a region that climbs": lambda p: p.credential(region="../us-east-1"),
            "a day that is none": lambda p: p.changed(X__Amz__Date="20260230T000000Z"),
            "an hour that is none": lambda p: p.changed(X__Amz__Date="20261125T250000Z"),
            "no time at all": lambda p: p.changed(X__Amz__Expires="0"),
            "less than no time": lambda p: p.changed(X__Amz__Expires="-300"),
            "digits of another script": lambda p: p.changed(X__Amz__Expires="٣٠٠"),
        },
    ),
    **_of(TOO_LONG, {"a week": lambda p: presigned(p.url + WHO_AM_I, p.new, seconds=604_800)}),
    **_of(
        EXPIRED,
        {
            "expired": lambda p: presigned(p.url + WHO_AM_I, p.new, at=ago(minutes=6)),
            "a clock that is 15 minutes behind": lambda p: presigned(p.url + WHO_AM_I, p.new, at=ago(minutes=15)),
        },
    ),
    **_of(
        CLOCK_AHEAD,
        {
            "a clock that is 15 minutes ahead": lambda p: presigned(
                p.url + WHO_AM_I, p.new, at=timezone.now() + timedelta(minutes=15)
            ),
            "the end of time": lambda p: presigned(
                p.url + WHO_AM_I, p.new, at=timezone.now().replace(year=9999, month=12, day=31)
            ),
        },
    ),
    **_of(
        OF_ANOTHER_KEY,
        {
            "another user's key": lambda p: presigned(p.url + WHO_AM_I, p.others),
            "a key that nobody has": lambda p: p.credential(key="AKIANOBODYHASTHISKEY"),
            "the key in small letters": lambda p: p.credential(key=p.new["AccessKeyId"].lower()),
        },
    ),
    **_of(OF_THE_OLD_KEY, {"the old key": lambda p: presigned(p.url + WHO_AM_I, p.old)}),
}
# In order by themselves: AWS alone can tell.
NOT_BELIEVED = _of(
    WRONG_SIGNATURE,
    {
        "a signature of nobody's": lambda p: p.changed(X__Amz__Signature="0" * 64),
        "a longer life": lambda p: p.changed(X__Amz__Expires="900"),
        "the wrong secret": lambda p: presigned(p.url + WHO_AM_I, {**p.new, "SecretAccessKey": "another"}),
        "signed as a POST": lambda p: presigned(p.url + WHO_AM_I, p.new, method="POST"),
        "signed for another host": lambda p: p.signed_for(p.trap).replace(p.trap, p.host),
        "another user's signature": lambda p: presigned(p.url + WHO_AM_I, p.others).replace(
            p.others["AccessKeyId"], p.new["AccessKeyId"]
        ),
    },
)
NEVER_SENT = NO_ADDRESS | ELSEWHERE | PARAMETERS
BAD = NEVER_SENT | NOT_BELIEVED
