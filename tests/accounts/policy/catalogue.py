"""Writes accounts/policy/actions.txt anew: `python -m tests.accounts.policy.catalogue`.

A line for each service: the prefix that its actions bear in policies, its name, its actions. They are the operations of
botocore's models; the actions that AWS names in its own managed policies, as moto carries them, among which are those
that are no operation (`iam:PassRole`, `s3:ListAllMyBuckets`); and those of services that are gone, by hand.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

import botocore.session
from botocore.model import ServiceModel
from moto.iam.aws_managed_policies import aws_managed_policies_data

from accounts.policy import actions
from accounts.policy.methods import METHODS

# Where requests are signed by another name than policies use.
PREFIXES = {
    "awsssoportal": "sso",
    "cloudcontrolapi": "cloudformation",
    "iot-jobs-data": "iotjobsdata",
    "iotdata": "iot",
    "monitoring": "cloudwatch",
    "mturk-requester": "mechanicalturk",
    "partnercentral-account": "partnercentral",
    "partnercentral-benefits": "partnercentral",
    "partnercentral-channel": "partnercentral",
    "partnercentral-selling": "partnercentral",
    "tagging": "tag",
}
TITLES = {
    "cloudwatch": "CloudWatch",
    "codestar": "CodeStar",
    "sso": "Identity Center",
    "sso-directory": "Identity Center directory",
    "states": "Step Functions",
}


def operations(among: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """Every operation that botocore knows, of all services or of some, as (prefix, name)."""
    session = botocore.session.get_session()
    for service in among or session.get_available_services():
        model = session.get_service_model(service)
        yield from ((_prefix(model), name) for name in model.operation_names)


def _prefix(model: ServiceModel) -> str:
    signed = model.signing_name.lower()
    return PREFIXES.get(signed, signed)


def titles() -> dict[str, str]:
    """What AWS calls each service, by prefix; of several services that share one, the one named like it."""
    session = botocore.session.get_session()
    found: dict[str, str] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        prefix = _prefix(model)
        if prefix == service or prefix not in found:
            found[prefix] = _title(model.metadata)
    return found | TITLES


def _title(metadata: dict[str, str]) -> str:
    title = metadata.get("serviceAbbreviation") or metadata["serviceFullName"]
    return title.removeprefix("AWS ").removeprefix("Amazon ").strip()


def named_by_aws() -> Iterator[tuple[str, str]]:
    """The actions that AWS's managed policies name in full."""
    for facts in json.loads(aws_managed_policies_data).values():
        statements = facts["Document"]["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            for element in ("Action", "NotAction"):
                yield from _in_full(statement.get(element, []))


def _in_full(given: str | list[str]) -> Iterator[tuple[str, str]]:
    for action in [given] if isinstance(given, str) else given:
        service, _, name = action.partition(":")
        if name and not set(name) & set("*?"):
            yield service.lower(), name


def by_hand() -> Iterator[tuple[str, str]]:
    """Those that the ways to more rights need."""
    for method in METHODS:
        for action in method.actions:
            service, _, name = action.partition(":")
            yield service, name


def gathered() -> dict[str, dict[str, str]]:
    """Prefix → name in lower case → name. The first to name an action says how it is written."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for source in (by_hand(), operations(), named_by_aws()):
        for service, name in source:
            found[service].setdefault(name.lower(), name)
    return found


def lines() -> Iterator[str]:
    """What stands in the file."""
    named = titles()
    for service, names in sorted(gathered().items()):
        yield "\t".join([service, named.get(service, service), " ".join(names[name] for name in sorted(names))])


if __name__ == "__main__":
    Path(actions.CATALOGUE).write_text("".join(f"{line}\n" for line in lines()))
