"""What was read of one IAM user's credentials, each fact with its source and time.

None says that nothing was read of it: then nothing is concluded, and what is known stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from accounts.models import IAMCredential, Source
from portal.aws.iam.access_keys import AccessKeyMetadata

Told = TypeVar("Told")


@dataclass(frozen=True)
class Fact(Generic[Told]):
    """What one answer of AWS said, and at what time that was true."""

    told: Told
    source: Source
    read_at: datetime


@dataclass(frozen=True)
class Password:
    """A console password: when it was used and changed; `reset_required` is None where the answer does not tell."""

    last_used: datetime | None
    last_changed: datetime | None
    reset_required: bool | None = None


@dataclass(frozen=True)
class LastUse:
    """When and where an access key was last used, None where never; `last_rotated` as the report says, if it does."""

    date: datetime | None
    region: str
    service: str
    last_rotated: datetime | None = None


@dataclass(frozen=True)
class Device:
    """An MFA device."""

    serial_number: str
    enable_date: datetime | None


@dataclass(frozen=True)
class OtherCredential:
    """A signing certificate, SSH public key or service-specific credential."""

    credential_id: str
    status: str
    create_date: datetime
    service_name: str = ""


@dataclass(frozen=True)
class Credentials:
    """Of one IAM user: `password` is a fact of None where there is none; the rest are complete lists."""

    password: Fact[Password | None] | None = None
    access_keys: Fact[tuple[AccessKeyMetadata, ...]] | None = None
    last_uses: Mapping[str, Fact[LastUse]] = field(default_factory=dict)
    mfa_devices: Fact[tuple[Device, ...]] | None = None
    others: Mapping[IAMCredential.Kind, Fact[tuple[OtherCredential, ...]]] = field(default_factory=dict)
