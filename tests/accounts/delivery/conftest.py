"""The fixtures of the deliveries' tests."""

from collections.abc import Callable

import pytest
from botocore.client import BaseClient

from portal.aws import calls
from portal.aws.calls import Answer
from tests.accounts.carrying import Death


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the worker die as soon as AWS has answered its n-th call from now on; the one after it lives."""
    call = calls.call

    def dying(count: int) -> None:
        left = count

        def counted(client: BaseClient, operation: str, **parameters: object) -> Answer:
            nonlocal left
            answer = call(client, operation, **parameters)
            left -= 1
            if left == 0:
                raise Death
            return answer

        monkeypatch.setattr(calls, "call", counted)

    return dying
