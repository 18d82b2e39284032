"""The forms of IAM's names, as AWS states them. No Django, no database.

Source: IAM and AWS STS quotas, "IAM name requirements", and the API model's patterns.
"""

import re

ACCOUNT_ID = re.compile(r"[0-9]{12}")
# A new user's name has 1 to 64 characters; a name that AWS already holds may have up to 128.
NEW_USER_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
USER_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
# A pattern over user names: `*` and `?` as in IAM's own.
USER_NAME_PATTERN = re.compile(r"[A-Za-z0-9_+=,.@*?-]{1,128}")
ROLE_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
PATH = re.compile(r"/|/[\x21-\x7e]{1,510}/")
ROLE_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role/[\x21-\x7e]{1,512}")
TAG_KEY = re.compile(r"[\w .:/=+@-]{1,128}")
TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
# In the serial number of a virtual MFA device, which is an ARN; no other kind of device has it.
VIRTUAL_MFA = ":mfa/"

# The tags that say which of the ledger's entries made or changed a thing. People set none of these.
OWN_TAG_PREFIX = "gatehouse:"
ENTRY_TAG = "gatehouse:entry"
# AWS's own begin with `aws:`. In keys of IAM users' tags upper and lower case count as the same.
RESERVED_TAG_PREFIXES = ("aws:", OWN_TAG_PREFIX)
TAGS_PER_USER = 50


def user_arn(*, account_id: str, path: str, user_name: str, partition: str = "aws") -> str:
    """The ARN that the user has or will have: `arn:aws:iam::111122223333:user/portal/mia`."""
    return f"arn:{partition}:iam::{account_id}:user{path}{user_name}"


def in_account(arn: str, *, account_id: str) -> str:
    """The ARN of what has the same path and name in another account; AWS's own policies are the same in all."""
    before, of, rest = arn.partition(":iam::")
    owner, colon, resource = rest.partition(":")
    return arn if owner == "aws" else f"{before}{of}{account_id}{colon}{resource}"


def role_arn(*, account_id: str, role_name: str, partition: str = "aws") -> str:
    """The ARN of a role without a path: `arn:aws:iam::111122223333:role/gatehouse-portal`."""
    return f"arn:{partition}:iam::{account_id}:role/{role_name}"


def role_path_and_name(role_arn: str) -> tuple[str, str]:
    """The two that CreateRole takes: `/` and `gatehouse-portal`."""
    path, _, name = role_arn.partition(":role")[2].rpartition("/")
    return f"{path}/", name


def role_account(role_arn: str) -> str:
    """The 12 digits of the account that the role is in.

    :raises ValueError: when the text is not a role's ARN.
    """
    match = ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise ValueError(role_arn)
    return match.group(2)


def partition_of(arn: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`."""
    return arn.split(":", 2)[1]


def own_tags(tags: dict[str, str]) -> dict[str, str]:
    """Those of the tags that the portal itself put there."""
    return {key: value for key, value in tags.items() if key.startswith(OWN_TAG_PREFIX)}


def peoples_tags(tags: dict[str, str]) -> dict[str, str]:
    """Those of the tags that people set: neither the portal's own nor AWS's."""
    return {key: value for key, value in tags.items() if not is_reserved_tag(key)}


def is_reserved_tag(key: str) -> bool:
    """Whether the tag is not people's to set or take away."""
    return key.lower().startswith(RESERVED_TAG_PREFIXES)


def is_virtual_mfa_device(serial_number: str) -> bool:
    """Whether an MFA device is an app's; the serial number of a hardware device is its maker's."""
    return ":mfa/" in serial_number


def is_passkey(serial_number: str) -> bool:
    """Whether an MFA device is a passkey or security key, which shows no codes."""
    return ":u2f/" in serial_number
