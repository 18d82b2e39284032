"""Access keys of IAM users."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from portal.aws.calls import Calls


class AccessKeyStatus(StrEnum):
    """What UpdateAccessKey takes."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


@dataclass(frozen=True)
class AccessKeyMetadata:
    """An access key without its secret; `status` is "Active" or "Inactive" (AWS's enum also knows "Expired")."""

    user_name: str
    access_key_id: str
    status: str
    create_date: datetime


@dataclass(frozen=True)
class AccessKey:
    """An access key that AWS has just made: it tells the secret this once, and a repr never does."""

    user_name: str
    access_key_id: str
    status: str
    create_date: datetime
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class AccessKeyLastUsed:
    """When and where a key was last used, None where AWS says N/A; AWS rounds to about a quarter of an hour."""

    user_name: str
    last_used_date: datetime | None
    service_name: str | None
    region: str | None


class AccessKeys(Calls):
    """Operations on access keys."""

    def list_access_keys(self, *, user_name: str) -> tuple[AccessKeyMetadata, ...]:
        """:raises NotFound: when there is no such user."""
        return tuple(
            AccessKeyMetadata(
                user_name=told["UserName"],
                access_key_id=told["AccessKeyId"],
                status=told["Status"],
                create_date=told["CreateDate"],
            )
            for told in self._all("ListAccessKeys", "AccessKeyMetadata", UserName=user_name)
        )

    def create_access_key(self, *, user_name: str) -> AccessKey:
        """Sent once; where the answer is lost, AWS may hold a key whose secret nobody knows.

        :raises Refused: when the user has two keys already, active or not.
        :raises NotFound: when there is no such user.
        """
        told = self._write("CreateAccessKey", UserName=user_name)["AccessKey"]
        return AccessKey(
            user_name=told["UserName"],
            access_key_id=told["AccessKeyId"],
            status=told["Status"],
            create_date=told["CreateDate"],
            secret_access_key=told["SecretAccessKey"],
        )

    def update_access_key(self, *, user_name: str, access_key_id: str, status: AccessKeyStatus) -> None:
        """Setting the status that it has is no error.

        :raises NotFound: when the user has no such key.
        """
        self._write("UpdateAccessKey", UserName=user_name, AccessKeyId=access_key_id, Status=str(status))

    def delete_access_key(self, *, user_name: str, access_key_id: str) -> None:
        """AWS deletes an active key too.

        :raises NotFound: when the user has no such key.
        """
        self._write("DeleteAccessKey", UserName=user_name, AccessKeyId=access_key_id)

    def get_access_key_last_used(self, *, access_key_id: str) -> AccessKeyLastUsed:
        """:raises NotFound: when the account has no such key."""
        answer = self._read("GetAccessKeyLastUsed", AccessKeyId=access_key_id)
        told = answer["AccessKeyLastUsed"]
        return AccessKeyLastUsed(
            user_name=answer["UserName"],
            last_used_date=told.get("LastUsedDate"),
            service_name=_applicable(told.get("ServiceName")),
            region=_applicable(told.get("Region")),
        )


def _applicable(value: str | None) -> str | None:
    return None if value == "N/A" else value
