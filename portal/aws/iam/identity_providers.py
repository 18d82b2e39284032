"""IAM's identity providers: SAML and OpenID Connect."""

from dataclasses import dataclass
from datetime import datetime

from portal.aws.calls import Calls


@dataclass(frozen=True)
class SAMLProvider:
    """A SAML provider; `valid_until` is when its metadata expires."""

    arn: str
    valid_until: datetime | None
    create_date: datetime | None


@dataclass(frozen=True)
class OpenIDConnectProvider:
    """An OpenID Connect provider; its `url` bears no scheme, as IAM keeps it."""

    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    create_date: datetime | None


class IdentityProviders(Calls):
    """Operations on identity providers. Neither list of AWS's has pages."""

    def list_saml_providers(self) -> tuple[SAMLProvider, ...]:
        """All of the account."""
        return tuple(
            SAMLProvider(arn=told["Arn"], valid_until=told.get("ValidUntil"), create_date=told.get("CreateDate"))
            for told in self._read("ListSAMLProviders")["SAMLProviderList"]
        )

    def list_open_id_connect_providers(self) -> tuple[str, ...]:
        """The ARNs of all of the account."""
        return tuple(told["Arn"] for told in self._read("ListOpenIDConnectProviders")["OpenIDConnectProviderList"])

    def get_open_id_connect_provider(self, *, open_id_connect_provider_arn: str) -> OpenIDConnectProvider:
        """:raises NotFound: when there is no such provider."""
        told = self._read("GetOpenIDConnectProvider", OpenIDConnectProviderArn=open_id_connect_provider_arn)
        return OpenIDConnectProvider(
            arn=open_id_connect_provider_arn,
            url=told["Url"],
            client_ids=tuple(told.get("ClientIDList", ())),
            thumbprints=tuple(told.get("ThumbprintList", ())),
            create_date=told.get("CreateDate"),
        )
