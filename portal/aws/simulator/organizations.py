"""AWS Organizations of the embedded AWS: who may ask, and pages of twenty, as AWS has them and moto has not."""

import json
from typing import Any

from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse

from portal.aws.simulator.answers import Refusal, RefusedByAWS
from portal.aws.simulator.hub import PARTITION

PAGE_SIZE = 20
NOT_IN_USE = Refusal(400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
NOT_THE_MANAGEMENT_ACCOUNT = Refusal(
    400, "AccessDeniedException", "You don't have permissions to access this resource."
)


class Organizations(OrganizationsResponse):
    """Moto's AWS Organizations with AWS's refusals."""

    def describe_organization(self) -> str:
        """The organization, for each of its accounts."""
        return json.dumps(self._management().describe_organization())

    def list_accounts(self) -> str:
        """A page, for the management account alone."""
        management = self._management()
        if management.account_id != self.current_account:
            raise RefusedByAWS(NOT_THE_MANAGEMENT_ACCOUNT)
        start = int(self._get_param("NextToken") or 0)
        end = start + min(int(self._get_param("MaxResults") or PAGE_SIZE), PAGE_SIZE)
        page: dict[str, Any] = {"Accounts": [account.describe() for account in management.accounts[start:end]]}
        return json.dumps(page | ({"NextToken": str(end)} if end < len(management.accounts) else {}))

    def _management(self) -> OrganizationsBackend:
        """What the management account holds. Moto's own list of members is not kept over a restart."""
        for backends in list(organizations_backends.values()):
            backend: OrganizationsBackend = backends[PARTITION]
            if backend.org and self.current_account in {account.id for account in backend.accounts}:
                return backend
        raise RefusedByAWS(NOT_IN_USE)
