"""The codes of a virtual MFA device: TOTP by RFC 6238, with HMAC-SHA-1, steps of 30 seconds and six digits."""

import base64
import hashlib
import hmac
from datetime import datetime

STEP_SECONDS = 30
DIGITS = 6


def step_of(at: datetime) -> int:
    """The number of the step in which this moment lies."""
    return int(at.timestamp()) // STEP_SECONDS


def code(seed: str, step: int) -> str:
    """What a device with this seed, in Base32, shows during the step."""
    digest = hmac.digest(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def are_consecutive(seed: str, first: str, second: str, *, at: datetime, steps: int) -> bool:
    """Whether the device showed these two one after the other, at most so many steps before or after the moment."""
    now = step_of(at)
    pairs = ((code(seed, step), code(seed, step + 1)) for step in range(now - steps, now + steps + 1))
    return any(hmac.compare_digest(f"{one}{other}", f"{first}{second}") for one, other in pairs)
