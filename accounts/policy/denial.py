"""The inline policy that takes everything from an IAM user while its person is offboarded. No Django.

It denies all, whatever else allows it and however the caller signed in: AWS ends the evaluation at an explicit Deny
(IAM User Guide, "Policy evaluation logic"), and the temporary credentials of GetSessionToken and GetFederationToken
have their user's permissions at each call ("Disabling permissions for temporary security credentials"), so that older
sessions are met too. A role that was assumed before has permissions of its own, which no policy of the user reaches.
"""

import json
from typing import Any

# Kept for the portal: a policy of this name that says something else is somebody else's.
POLICY_NAME = "gatehouse-offboarding"
DENY_ALL: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "GatehouseOffboarding", "Effect": "Deny", "Action": "*", "Resource": "*"}],
}
DENY_ALL_TEXT = json.dumps(DENY_ALL, separators=(",", ":"))
