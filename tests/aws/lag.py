"""AWS's reads that are behind its writes: for a while they see an account as it was."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from portal.aws.simulator.hub import PARTITION


@dataclass
class Lag:
    """How an account was; the next `reads` of it see that, and after them it has caught up."""

    account_id: str
    past: bytes
    reads: int

    @classmethod
    def now(cls, account_id: str, *, reads: int) -> "Lag":
        """Keep how the account is at this moment."""
        return cls(account_id, pickle.dumps(iam_backends[account_id][PARTITION]), reads)

    @contextmanager
    def around(self) -> Iterator[None]:
        """Let one read see the past; whoever calls this keeps every other request away meanwhile."""
        self.reads -= 1
        account: Any = iam_backends[self.account_id]
        present = account[PARTITION]
        past = pickle.loads(self.past)  # noqa: S301 -- pickled above
        # Who may call is no matter of the lag: the portal may have entered the account only now.
        past.access_keys.update(present.access_keys)
        dict.__setitem__(account, PARTITION, past)
        try:
            yield
        finally:
            dict.__setitem__(account, PARTITION, present)
