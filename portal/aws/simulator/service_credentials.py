"""Service-specific credentials, which moto lacks: kept on the user, at most two per service."""

from dataclasses import dataclass, field
from datetime import datetime

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.exceptions import LimitExceededException, NoSuchEntity
from moto.iam.models import User
from moto.iam.responses import IamResponse

from portal.aws.simulator import names

PER_SERVICE = 2


@dataclass
class ServiceSpecificCredential:
    """One credential, under the names that the API gives its fields."""

    user_name: str
    service_name: str
    service_specific_credential_id: str = field(default_factory=lambda: names.unique_id("ACCA"))
    service_password: str = field(default_factory=lambda: names.unique_id("sim+"), repr=False)
    status: str = "Active"
    create_date: datetime = field(default_factory=utcnow)

    @property
    def service_user_name(self) -> str:
        """The user name for the service."""
        return f"{self.user_name}-at-gatehouse"


class ServiceSpecificCredentials(IamResponse):
    """The operations on them."""

    def create_service_specific_credential(self) -> ActionResult:
        """Refuse a third one for the same service."""
        user, service = self._owner(), self._get_param("ServiceName")
        held = _held(user)
        if sum(credential.service_name == service for credential in held) >= PER_SERVICE:
            raise LimitExceededException(f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {PER_SERVICE}")
        credential = ServiceSpecificCredential(user_name=user.name, service_name=service)
        vars(user).update(service_specific_credentials=[*held, credential])
        return ActionResult({"ServiceSpecificCredential": credential})

    def list_service_specific_credentials(self) -> ActionResult:
        """Of one user, or of all."""
        asked = self.backend.users.values() if self._get_bool_param("AllUsers") else [self._owner()]
        held = [credential for user in asked for credential in _held(user)]
        return ActionResult({"ServiceSpecificCredentials": held, "IsTruncated": False})

    def delete_service_specific_credential(self) -> ActionResult:
        """Refuse what is not there."""
        user, credential_id = self._owner(), self._get_param("ServiceSpecificCredentialId")
        kept = [credential for credential in _held(user) if credential.service_specific_credential_id != credential_id]
        if len(kept) == len(_held(user)):
            raise NoSuchEntity(f"Service Specific Credential {credential_id} does not exist.")
        vars(user).update(service_specific_credentials=kept)
        return EmptyResult()

    def _owner(self) -> User:
        return self.backend.get_user(self._get_param("UserName"))


def _held(user: User) -> list[ServiceSpecificCredential]:
    return getattr(user, "service_specific_credentials", [])
