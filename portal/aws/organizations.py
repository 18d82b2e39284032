"""AWS Organizations: which accounts belong together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.aws.calls import Answer, Calls, given
from portal.aws.errors import Unknown


@dataclass(frozen=True)
class Organization:
    """The AWS organization that an account belongs to; `management_account_id` AWS still calls MasterAccountId."""

    id: str
    arn: str
    management_account_id: str


@dataclass(frozen=True)
class MemberAccount:
    """An account of the organization; `state` is PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE or CLOSED."""

    id: str
    arn: str
    name: str
    email: str
    state: str


class Organizations(Calls):
    """Operations on the AWS organization of one account."""

    def describe_organization(self) -> Organization:
        """Any account of the organization may ask.

        :raises NotFound: when the account belongs to none.
        """
        told = self._read("DescribeOrganization")["Organization"]
        return Organization(id=told["Id"], arn=told["Arn"], management_account_id=told["MasterAccountId"])

    def list_accounts(self) -> tuple[MemberAccount, ...]:
        """All accounts, twenty at most on each page; a page that fails leaves nothing.

        :raises Denied: except in the management account and for a delegated administrator.
        :raises NotFound: when the account belongs to no organization.
        """
        return tuple(_member_account(told) for page in self._account_pages() for told in page["Accounts"])

    def _account_pages(self) -> Iterator[Answer]:
        """AWS may cut a page short, even to nothing: only the want of a token ends the list."""
        token = None
        while True:
            page = self._read("ListAccounts", **given(NextToken=token))
            yield page
            if not page.get("NextToken"):
                return
            if page["NextToken"] == token:
                raise Unknown(operation="ListAccounts", code="NextToken", message="the list goes round in a circle.")
            token = page["NextToken"]


def _member_account(told: Mapping[str, Any]) -> MemberAccount:
    # Status is retired since 9 September 2026 (Organizations API reference, Account); an older endpoint has no State.
    state = told.get("State") or told.get("Status", "")
    return MemberAccount(
        id=told["Id"], arn=told["Arn"], name=told.get("Name", ""), email=told.get("Email", ""), state=state
    )
