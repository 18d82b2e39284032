"""STS of the embedded AWS: a role must exist and trust the caller, as AWS demands and moto does not."""

import re

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException, ValidationError
from moto.iam.models import Role, iam_backends
from moto.sts.responses import TokenResponse

from portal.aws.simulator import keys, trust
from portal.aws.simulator.answers import Refusal, RefusedByAWS
from portal.aws.simulator.hub import PARTITION

ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/(?:.+/)?([\w+=,.@-]{1,64})", re.ASCII)
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
SHORTEST_SECONDS = 900
# A role assumed from a role: one hour, whatever the role allows (STS API reference, AssumeRole).
CHAINED_SECONDS = 3600


class STS(TokenResponse):
    """Moto's STS with AWS's refusals."""

    def get_caller_identity(self) -> ActionResult:
        """Root too, which moto takes for nobody it knows."""
        if not keys.is_root(self.access_key):
            return super().get_caller_identity()
        account = self.current_account
        return ActionResult({"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"})

    def assume_role(self) -> ActionResult:
        """Refuse what AWS refuses, then let moto make the session."""
        if keys.is_root(self.access_key):
            raise RefusedByAWS(Refusal(403, "AccessDenied", "Roles may not be assumed by root accounts."))
        role_arn = self._get_param("RoleArn")
        role = self._trusting_role(role_arn)
        self._check_session(role)
        keys.drop_expired(role.account_id)
        return super().assume_role()

    def _trusting_role(self, role_arn: str) -> Role:
        role = _role(role_arn)
        caller = trust.Caller(
            arn=keys.caller_arn(self.access_key),
            account_id=self.current_account,
            external_id=self._get_param("ExternalId") or "",
        )
        if role is None or not trust.is_trusted(role.assume_role_policy_document, caller):
            message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise RefusedByAWS(Refusal(403, "AccessDenied", message))
        return role

    def _check_session(self, role: Role) -> None:
        if not SESSION_NAME.fullmatch(self._get_param("RoleSessionName") or ""):
            raise ValidationError(
                "1 validation error detected: the value at 'roleSessionName' does not satisfy its pattern"
            )
        seconds = self._get_int_param("DurationSeconds", CHAINED_SECONDS)
        longest = int(role.max_session_duration or CHAINED_SECONDS)
        if self.access_key.startswith("ASIA"):
            longest = CHAINED_SECONDS
        if not SHORTEST_SECONDS <= seconds <= longest:
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise ValidationError(message)


def _role(role_arn: str) -> Role | None:
    found = ROLE_ARN.fullmatch(role_arn)
    if found is None or found[1] not in iam_backends:
        return None
    try:
        role: Role = iam_backends[found[1]][PARTITION].get_role(found[2])
    except NotFoundException:
        return None
    return role if role.arn == role_arn else None
