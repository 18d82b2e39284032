"""A whole account out of its pages, for looking at it in one piece."""

from collections.abc import Iterable

from portal.aws.iam.account import AccountAuthorizationDetails


def whole(pages: Iterable[AccountAuthorizationDetails]) -> AccountAuthorizationDetails:
    """All pages as one."""
    read = list(pages)
    return AccountAuthorizationDetails(
        user_detail_list=tuple(user for page in read for user in page.user_detail_list),
        group_detail_list=tuple(group for page in read for group in page.group_detail_list),
        role_detail_list=tuple(role for page in read for role in page.role_detail_list),
        policies=tuple(policy for page in read for policy in page.policies),
    )
