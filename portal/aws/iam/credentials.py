"""What else lets an IAM user in: the login profile, signing certificates, SSH keys, service-specific credentials."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.aws.calls import Calls, given


@dataclass(frozen=True)
class LoginProfile:
    """That a user has a console password, since when, and whether it must be changed at the next sign-in."""

    user_name: str
    create_date: datetime
    password_reset_required: bool


@dataclass(frozen=True)
class SigningCertificate:
    """An X.509 signing certificate, without its text."""

    user_name: str
    certificate_id: str
    status: str
    upload_date: datetime


@dataclass(frozen=True)
class SSHPublicKeyMetadata:
    """An SSH public key for CodeCommit, without its text."""

    user_name: str
    ssh_public_key_id: str
    status: str
    upload_date: datetime


@dataclass(frozen=True)
class ServiceSpecificCredential:
    """A user name and password or an API key for one service, without its secret."""

    user_name: str
    service_specific_credential_id: str
    service_name: str
    status: str
    create_date: datetime


class Credentials(Calls):
    """Operations on these credentials; each list raises NotFound when there is no such user."""

    def get_login_profile(self, *, user_name: str) -> LoginProfile:
        """:raises NotFound: when the user has no console password."""
        return _login_profile(self._read("GetLoginProfile", UserName=user_name)["LoginProfile"])

    def create_login_profile(self, *, user_name: str, password: str, password_reset_required: bool) -> LoginProfile:
        """Give the user a console password; sent once.

        :raises Conflict: when the user has one already.
        :raises Refused: when the account's password policy does not take this one.
        :raises NotFound: when there is no such user.
        """
        answer = self._write(
            "CreateLoginProfile", UserName=user_name, Password=password, PasswordResetRequired=password_reset_required
        )
        return _login_profile(answer["LoginProfile"])

    def update_login_profile(self, *, user_name: str, password: str, password_reset_required: bool) -> None:
        """Give the user another console password in place of the one that it has; doing so again is no error.

        :raises NotFound: when the user has none.
        :raises Refused: when the account's password policy does not take this one.
        :raises TryLater: shortly after the password was changed.
        """
        self._write(
            "UpdateLoginProfile", UserName=user_name, Password=password, PasswordResetRequired=password_reset_required
        )

    def delete_login_profile(self, *, user_name: str) -> None:
        """Take the console password away.

        :raises NotFound: when the user has none.
        :raises TryLater: shortly after the password was changed.
        """
        self._write("DeleteLoginProfile", UserName=user_name)

    def list_signing_certificates(self, *, user_name: str) -> tuple[SigningCertificate, ...]:
        """At most two."""
        return tuple(
            SigningCertificate(
                user_name=told["UserName"],
                certificate_id=told["CertificateId"],
                status=told["Status"],
                upload_date=told["UploadDate"],
            )
            for told in self._all("ListSigningCertificates", "Certificates", UserName=user_name)
        )

    def delete_signing_certificate(self, *, user_name: str, certificate_id: str) -> None:
        """:raises NotFound: when the user has no such certificate."""
        self._write("DeleteSigningCertificate", UserName=user_name, CertificateId=certificate_id)

    def list_ssh_public_keys(self, *, user_name: str) -> tuple[SSHPublicKeyMetadata, ...]:
        """At most five."""
        return tuple(
            SSHPublicKeyMetadata(
                user_name=told["UserName"],
                ssh_public_key_id=told["SSHPublicKeyId"],
                status=told["Status"],
                upload_date=told["UploadDate"],
            )
            for told in self._all("ListSSHPublicKeys", "SSHPublicKeys", UserName=user_name)
        )

    def delete_ssh_public_key(self, *, user_name: str, ssh_public_key_id: str) -> None:
        """:raises NotFound: when the user has no such key."""
        self._write("DeleteSSHPublicKey", UserName=user_name, SSHPublicKeyId=ssh_public_key_id)

    def list_service_specific_credentials(
        self, *, user_name: str | None = None, all_users: bool | None = None
    ) -> tuple[ServiceSpecificCredential, ...]:
        """Of one user, at most two per service; or with `all_users` those of the whole account."""
        asked = given(UserName=user_name, AllUsers=all_users)
        return tuple(
            ServiceSpecificCredential(
                user_name=told["UserName"],
                service_specific_credential_id=told["ServiceSpecificCredentialId"],
                service_name=told["ServiceName"],
                status=told["Status"],
                create_date=told["CreateDate"],
            )
            for told in self._all("ListServiceSpecificCredentials", "ServiceSpecificCredentials", **asked)
        )

    def delete_service_specific_credential(self, *, user_name: str, service_specific_credential_id: str) -> None:
        """:raises NotFound: when the user has no such credential."""
        self._write(
            "DeleteServiceSpecificCredential",
            UserName=user_name,
            ServiceSpecificCredentialId=service_specific_credential_id,
        )


def _login_profile(told: Mapping[str, Any]) -> LoginProfile:
    return LoginProfile(
        user_name=told["UserName"],
        create_date=told["CreateDate"],
        password_reset_required=told.get("PasswordResetRequired", False),
    )
