"""What a user, group or role may do, asked of IAM's own policy simulator."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.aws.calls import Calls


@dataclass(frozen=True)
class EvaluationResult:
    """What the policies say of one action on one resource; `eval_decision` is "allowed" or one of two denials."""

    eval_action_name: str
    eval_resource_name: str
    eval_decision: str

    @property
    def is_allowed(self) -> bool:
        """Neither denied by a statement nor by the want of one."""
        return self.eval_decision == "allowed"


class Simulations(Calls):
    """Operations on IAM's policy simulator."""

    def simulate_principal_policy(
        self, *, policy_source_arn: str, action_names: Sequence[str], resource_arns: Sequence[str] = ("*",)
    ) -> tuple[EvaluationResult, ...]:
        """Ask about each action ("iam:CreateUser") on each resource; neither need exist.

        The answer heeds the account's service control policies, and may differ from what AWS does where statements
        have conditions (IAM API reference, SimulatePrincipalPolicy).

        :raises NotFound: when there is no such user, group or role.
        """
        pages = self._pages(
            "SimulatePrincipalPolicy",
            PolicySourceArn=policy_source_arn,
            ActionNames=list(action_names),
            ResourceArns=list(resource_arns),
        )
        return tuple(
            EvaluationResult(
                eval_action_name=told["EvalActionName"],
                eval_resource_name=told["EvalResourceName"],
                eval_decision=told["EvalDecision"],
            )
            for page in pages
            for told in page["EvaluationResults"]
        )
