"""What changes a user that is there: another name or path, policies on it. Moto loses and counts wrongly here."""

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import LimitExceededException

from portal.aws.simulator import names
from portal.aws.simulator.service_credentials import ServiceSpecificCredentials

# IAM and AWS STS quotas: "Managed policies attached to an IAM user", and the size of inline policies of a user, in
# which white space does not count.
POLICIES_PER_USER = 10
INLINE_CHARACTERS = 2_048


class UserChanges(ServiceSpecificCredentials):
    """UpdateUser and the policies of users."""

    def update_user(self) -> ActionResult:
        """Refuse a name that is taken, whose user moto forgets; take along tags and keys, which moto leaves behind."""
        user = self.backend.get_user(self._get_param("UserName"))
        new_name, new_path = self._get_param("NewUserName") or user.name, self._get_param("NewPath") or user.path
        names.check_name("newUserName", new_name, names.LONGEST_USER_NAME)
        names.check_path(new_path)
        names.check_is_free("User", new_name, (name for name in self.backend.users if name != user.name))
        tags = self.backend.tagger.list_tags_for_resource(user.arn)["Tags"]
        self.backend.tagger.delete_all_tags_for_resource(user.arn)
        self.backend.update_user(user.name, new_path, new_name)
        self.backend.tagger.tag_resource(user.arn, tags)
        for key in user.access_keys:
            key.user_name = new_name
        return EmptyResult()

    def attach_user_policy(self) -> ActionResult:
        """Attaching again changes nothing, where moto counts it twice; refuse an eleventh."""
        user = self.backend.get_user(self._get_param("UserName"))
        if self._get_param("PolicyArn") in user.managed_policies:
            return EmptyResult()
        if len(user.managed_policies) >= POLICIES_PER_USER:
            raise LimitExceededException(f"Cannot exceed quota for PoliciesPerUser: {POLICIES_PER_USER}")
        return super().attach_user_policy()

    def put_user_policy(self) -> ActionResult:
        """Refuse more than AWS takes."""
        user = self.backend.get_user(self._get_param("UserName"))
        policies = {**user.policies, self._get_param("PolicyName"): self._get_param("PolicyDocument")}
        if _characters(policies) > INLINE_CHARACTERS:
            raise LimitExceededException(
                f"Maximum policy size of {INLINE_CHARACTERS} bytes exceeded for user {user.name}"
            )
        return super().put_user_policy()


def _characters(policies: dict[str, str]) -> int:
    return sum(len("".join(document.split())) for document in policies.values())
