"""The hub in the embedded AWS: the portal's own account, its IAM user and its access key."""

from moto.iam.models import iam_backends

from portal.aws.simulator import names

HUB_ACCOUNT_ID = "123456789012"
HUB_USER_NAME = "gatehouse-hub"
# Known to everybody who reads this: the key is good here and nowhere else.
HUB_ACCESS_KEY_ID = "AKIAGATEHOUSEHUB0000"
HUB_SECRET_ACCESS_KEY = "gatehouse-demo-hub-secret"  # noqa: S105 -- opens the embedded AWS only
REGION = "us-east-1"
PARTITION = "aws"


def install_hub() -> None:
    """Make the hub's user and key where they are not there yet."""
    backend = iam_backends[HUB_ACCOUNT_ID][PARTITION]
    if HUB_USER_NAME in backend.users:
        return
    user = backend.create_user(REGION, HUB_USER_NAME, "/")
    user.id = names.unique_id("AIDA")
    key = user.create_access_key(prefix="AKIA")
    key.access_key_id, key.secret_access_key = HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
    backend.access_keys[key.access_key_id] = key
