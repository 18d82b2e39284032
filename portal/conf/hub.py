"""The form of the `HUB_PRINCIPAL_ARN` setting."""

import re

from django.core.exceptions import ImproperlyConfigured

PRINCIPAL = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:(root|(role|user)/[\x21-\x7e]{1,512})")


def parse(text: str) -> str:
    """The ARN of whom the roles in connected accounts trust; empty where it is not set.

    :raises ImproperlyConfigured: when it is not the ARN of a role, a user or a whole account.
    """
    if text and not PRINCIPAL.fullmatch(text):
        raise ImproperlyConfigured(
            "HUB_PRINCIPAL_ARN is the ARN of the portal's own role or user in AWS, such as "
            "arn:aws:iam::111122223333:role/gatehouse."
        )
    return text
