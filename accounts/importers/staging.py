"""Where what was read waits until all of it was read: on disk, so that memory does not grow with the account."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, Generic, Self, TypeVar

from portal.aws.iam.account import (
    AccountAuthorizationDetails,
    GroupDetail,
    ManagedPolicyDetail,
    RoleDetail,
    UserDetail,
)

# So many rows are looked up, compared and written at once.
BATCH = 500

Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], size: int = BATCH) -> Iterator[list[Thing]]:
    """The things in lists of at most `size`."""
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch


class Pile(Generic[Thing]):
    """Things of one kind in a temporary file that has no name and ends with the process."""

    def __init__(self) -> None:
        self._file: BinaryIO = TemporaryFile()  # noqa: SIM115 -- close() is its end; it outlives this block
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Thing]:
        """From the beginning, one after another."""
        self._file.seek(0)
        for _ in range(self._count):
            thing: Thing = pickle.load(self._file)  # noqa: S301 -- nobody but this process can open the file
            yield thing

    def add(self, things: Iterable[Thing]) -> None:
        """Put more on it."""
        for thing in things:
            pickle.dump(thing, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self._count += 1

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()


class Staged:
    """What GetAccountAuthorizationDetails told so far, by kind; to be used in a `with` statement."""

    def __init__(self) -> None:
        self.users: Pile[UserDetail] = Pile()
        self.groups: Pile[GroupDetail] = Pile()
        self.roles: Pile[RoleDetail] = Pile()
        self.policies: Pile[ManagedPolicyDetail] = Pile()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pile in self._piles():
            pile.close()

    def __len__(self) -> int:
        return sum(len(pile) for pile in self._piles())

    def add(self, page: AccountAuthorizationDetails) -> None:
        """One more page."""
        self.users.add(page.user_detail_list)
        self.groups.add(page.group_detail_list)
        self.roles.add(page.role_detail_list)
        self.policies.add(page.policies)

    def _piles(self) -> tuple[Pile[Any], ...]:
        return self.users, self.groups, self.roles, self.policies
