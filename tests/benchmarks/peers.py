"""`python tests/benchmarks/peers.py loop|cartography ROLE_ARN EXTERNAL_ID`: read all IAM users as others do it.

`loop` is what one writes first with boto3; `cartography` calls Cartography's own functions in the order of its `sync`,
and writes nothing. Prints seconds and peak memory as one line of JSON. It runs in Cartography's environment too, so it
imports nothing of the project.
"""

import importlib
import json
import resource
import sys
import time
from typing import Any

import boto3


def main() -> None:
    """Read the account behind the role."""
    how, role_arn, external_id = sys.argv[1:]
    start = time.perf_counter()
    users = PEERS[how](enter(role_arn, external_id))
    told = {"seconds": time.perf_counter() - start, "peak_mib": peak_mib(), "users": users}
    sys.stdout.write(json.dumps(told) + "\n")


def peak_mib() -> float:
    """The most memory that this process had so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def enter(role_arn: str, external_id: str) -> boto3.Session:
    """A session in the account, from the credentials and for the endpoint that the environment names."""
    sts = boto3.client("sts", region_name="us-east-1")
    entered = sts.assume_role(RoleArn=role_arn, RoleSessionName="bench", ExternalId=external_id)["Credentials"]
    return boto3.Session(
        aws_access_key_id=entered["AccessKeyId"],
        aws_secret_access_key=entered["SecretAccessKey"],
        aws_session_token=entered["SessionToken"],
        region_name="us-east-1",
    )


def loop(session: boto3.Session) -> int:
    """One user after another; how many there are."""
    iam = session.client("iam")
    users = [user for page in iam.get_paginator("list_users").paginate() for user in page["Users"]]
    found = [_read(iam, user["UserName"]) for user in users]
    return len(found)


def _read(iam: Any, name: str) -> dict[str, Any]:
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    policies = iam.list_user_policies(UserName=name)["PolicyNames"]
    return {
        "tags": iam.list_user_tags(UserName=name)["Tags"],
        "groups": iam.list_groups_for_user(UserName=name)["Groups"],
        "attached": iam.list_attached_user_policies(UserName=name)["AttachedPolicies"],
        "inline": [iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"] for policy in policies],
        "keys": keys,
        "last_used": [iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"]) for key in keys],
        "login_profile": _login_profile(iam, name),
        "mfa": iam.list_mfa_devices(UserName=name)["MFADevices"],
    }


def _login_profile(iam: Any, name: str) -> dict[str, Any] | None:
    try:
        profile: dict[str, Any] = iam.get_login_profile(UserName=name)["LoginProfile"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return profile


def cartography(session: boto3.Session) -> int:
    """As `cartography.intel.aws.iam.sync` reads users, and the tagging module their tags; how many users there are.

    Its two calls per entity for "service last accessed" are left out, which nobody else reads.
    """
    iam = importlib.import_module("cartography.intel.aws.iam")
    users: list[dict[str, Any]] = iam.get_user_list_data(session)["Users"]
    found = [
        iam.get_account_authorization_details(session, {}),
        iam.get_mfa_devices(session, users),
        iam.get_group_list_data(session),
        iam.get_role_list_data(session),
        iam.get_user_access_keys_data(session, [{"name": user["UserName"], "arn": user["Arn"]} for user in users]),
        iam.get_saml_providers(session),
        iam.get_account_summary(session),
        iam.get_user_tags(session),
    ]
    assert all(told is not None for told in found)
    return len(users)


PEERS = {"loop": loop, "cartography": cartography}

if __name__ == "__main__":
    main()
