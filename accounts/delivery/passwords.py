"""Making console passwords that an account's password policy takes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

# Sixty characters and twenty places: more than 110 bits.
LENGTH = 20
# IAM User Guide, "Set an account password policy for IAM users".
LONGEST = 128
# Without what people take for something else when they type it: 0 O o, 1 l I |, and the quote.
LOWERCASE = "abcdefghijkmnpqrstuvwxyz"
UPPERCASE = "ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBERS = "23456789"
SYMBOLS = "!@#$%^&*+-=_"
CLASSES = (LOWERCASE, UPPERCASE, NUMBERS, SYMBOLS)

_random = secrets.SystemRandom()


def made(*, password_policy: Mapping[str, Any] | None, account_name: str) -> str:
    """A random password with all four classes of characters, which every policy takes, AWS's default (None) too.

    `password_policy` is GetAccountPasswordPolicy's in snake case; `account_name` the account's alias, which the default
    refuses as a password.
    """
    length = min(max(LENGTH, int((password_policy or {}).get("minimum_password_length", LENGTH))), LONGEST)
    password = _drawn(length)
    while password.lower() == account_name.lower():
        password = _drawn(length)
    return password


def _drawn(length: int) -> str:
    everything = "".join(CLASSES)
    characters = [secrets.choice(characters) for characters in CLASSES]
    characters += [secrets.choice(everything) for _ in range(length - len(CLASSES))]
    _random.shuffle(characters)
    return "".join(characters)
