"""AWS Security Token Service: who am I, and temporary credentials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from portal.aws.calls import Answer, Calls, given


@dataclass(frozen=True)
class CallerIdentity:
    """Whose credentials these are; `account` has 12 digits."""

    user_id: str
    account: str
    arn: str


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials; the secret parts never show in a repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: datetime


@dataclass(frozen=True)
class AssumedRole:
    """A session in a role: its ARN (`arn:aws:sts::…:assumed-role/name/session`) and its credentials."""

    arn: str
    assumed_role_id: str
    credentials: Credentials


class STS(Calls):
    """STS in one account, or the hub's own."""

    def get_caller_identity(self) -> CallerIdentity:
        """:raises Denied: when AWS does not accept the credentials."""
        answer = self._read("GetCallerIdentity")
        return CallerIdentity(user_id=answer["UserId"], account=answer["Account"], arn=answer["Arn"])

    def assume_role(
        self,
        *,
        role_arn: str,
        role_session_name: str,
        external_id: str | None = None,
        duration_seconds: int | None = None,
        policy: str | None = None,
        policy_arns: Sequence[str] = (),
        source_identity: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> AssumedRole:
        """Temporary credentials of a role; asking twice changes nothing in AWS, so a lost answer is asked for again.

        `duration_seconds` is 900 up to the role's maximum, at most 3,600 from a role that was itself assumed.

        :raises Denied: when the role is not there, or does not trust the caller with this external id.
        :raises Refused: when the duration, the session policy or a name is outside AWS's limits.
        """
        answer = self._read(
            "AssumeRole",
            RoleArn=role_arn,
            RoleSessionName=role_session_name,
            **given(
                ExternalId=external_id,
                DurationSeconds=duration_seconds,
                Policy=policy,
                PolicyArns=[{"arn": arn} for arn in policy_arns] or None,
                SourceIdentity=source_identity,
                Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()] or None,
            ),
        )
        return _assumed_role(answer)


def _assumed_role(answer: Answer) -> AssumedRole:
    user, secret = answer["AssumedRoleUser"], answer["Credentials"]
    return AssumedRole(
        arn=user["Arn"],
        assumed_role_id=user["AssumedRoleId"],
        credentials=Credentials(
            access_key_id=secret["AccessKeyId"],
            secret_access_key=secret["SecretAccessKey"],
            session_token=secret["SessionToken"],
            expiration=secret["Expiration"],
        ),
    )
