"""AWS Secrets Manager: where an application reads its access key."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.aws.calls import Calls

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True)
class SecretMetadata:
    """A secret without what it holds; `stages` are the staging labels of each version, by version id.

    `is_deleted` claims that it is scheduled for deletion: it can be described and takes no new version.
    """

    arn: str
    name: str
    tags: Mapping[str, str]
    stages: Mapping[str, tuple[str, ...]]
    is_deleted: bool

    def version_at(self, stage: str) -> str | None:
        """The id of the version that bears this staging label."""
        return next((version for version, stages in self.stages.items() if stage in stages), None)


class SecretsManager(Calls):
    """Operations on the secrets of one account in one Region."""

    def describe_secret(self, *, secret_id: str) -> SecretMetadata:
        """:raises NotFound: when there is none of this name or ARN."""
        told = self._read("DescribeSecret", SecretId=secret_id)
        return SecretMetadata(
            arn=told["ARN"],
            name=told["Name"],
            tags={tag["Key"]: tag["Value"] for tag in told.get("Tags", ())},
            stages={version: tuple(stages) for version, stages in told.get("VersionIdsToStages", {}).items()},
            is_deleted="DeletedDate" in told,
        )

    def create_secret(
        self, *, name: str, description: str, secret_string: str, client_request_token: str, tags: Mapping[str, str]
    ) -> str:
        """Make a secret with its first version, whose id is the token; the secret's ARN.

        :raises Conflict: when there is one of this name with another first version.
        """
        told = self._write(
            "CreateSecret",
            Name=name,
            Description=description,
            SecretString=secret_string,
            ClientRequestToken=client_request_token,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(told["ARN"])

    def put_secret_value(self, *, secret_id: str, secret_string: str, client_request_token: str) -> str:
        """Make one more version the current one; the one before keeps the label AWSPREVIOUS. The version's id.

        The token is the version's id: the same token with the same contents does nothing (PutSecretValue).

        :raises Conflict: when a version of this id holds something else.
        :raises NotFound: when there is no such secret.
        """
        told = self._write(
            "PutSecretValue",
            SecretId=secret_id,
            SecretString=secret_string,
            ClientRequestToken=client_request_token,
        )
        return str(told["VersionId"])

    def update_secret_version_stage(
        self, *, secret_id: str, version_stage: str, move_to_version_id: str, remove_from_version_id: str
    ) -> None:
        """Move a staging label from one version to another.

        :raises NotFound: when there is no such secret or version.
        """
        self._write(
            "UpdateSecretVersionStage",
            SecretId=secret_id,
            VersionStage=version_stage,
            MoveToVersionId=move_to_version_id,
            RemoveFromVersionId=remove_from_version_id,
        )
