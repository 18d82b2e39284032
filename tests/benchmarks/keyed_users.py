"""IAM users with a key each in the demo's first account, made in moto's memory: over HTTP it would take long."""

from collections.abc import Iterator

from moto.iam.models import iam_backends

from portal.aws.simulator.demo_accounts import ACCOUNTS
from portal.aws.simulator.hub import PARTITION, REGION

Made = dict[str, str]


def make(count: int) -> Iterator[Made]:
    """So many of them; what the portal's rows need to know of each."""
    backend = iam_backends[ACCOUNTS[0].account_id][PARTITION]
    for number in range(count):
        user = backend.create_user(REGION, f"keyed-{number:04}", "/bench/", [])
        key = backend.create_access_key(user.name, "AKIA")
        yield {"user_name": user.name, "user_id": user.id, "access_key_id": key.access_key_id}
