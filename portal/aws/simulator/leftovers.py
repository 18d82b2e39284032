"""What must be gone before AWS deletes a user, group, policy or device; moto deletes most of them at once.

IAM API reference, DeleteUser: the list of what has to be removed first.
"""

from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import Group, IAMBackend, ManagedPolicy, User


def refuse_user(user: User, backend: IAMBackend) -> None:
    """:raises DeleteConflictException: naming the first thing that still hangs on the user."""
    hanging = {
        "delete login profile": user.password,
        "delete access keys": user.access_keys,
        "delete MFA device": user.mfa_devices,
        "delete signing certificates": user.signing_certificates,
        "delete SSH public keys": user.ssh_public_keys,
        "delete service specific credentials": getattr(user, "service_specific_credentials", None),
        "delete policies": user.policies,
        "detach all policies": user.managed_policies,
        "remove users from group": backend.get_groups_for_user(user.name),
    }
    _refuse(hanging)


def refuse_group(group: Group) -> None:
    """:raises DeleteConflictException: while it has members or policies."""
    _refuse(
        {
            "remove users from group": group.users,
            "delete policies": group.policies,
            "detach all policies": group.managed_policies,
        }
    )


def refuse_policy(policy: ManagedPolicy) -> None:
    """:raises DeleteConflictException: while it is attached, or has versions besides the default one."""
    _refuse(
        {"detach the policy from everything": policy.attachment_count, "delete policy versions": policy.versions[1:]}
    )


def refuse_device(device: object) -> None:
    """:raises DeleteConflictException: while a user has it enabled."""
    _refuse({"deactivate the MFA device": getattr(device, "user", None)})


def _refuse(hanging: dict[str, object]) -> None:
    for what, found in hanging.items():
        if found:
            raise DeleteConflictException(f"Cannot delete entity, must {what} first.")
