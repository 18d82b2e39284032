"""Console passwords: whatever the account's password policy, AWS would take them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.delivery import passwords

# IAM User Guide, "Set an account password policy for IAM users": the characters that AWS counts as symbols.
AWS_SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
LOOK_ALIKES = set("0Oo1lI|'`\"")

policies = st.none() | st.fixed_dictionaries(
    {
        "minimum_password_length": st.integers(6, 128),
        "require_symbols": st.booleans(),
        "require_numbers": st.booleans(),
        "require_uppercase_characters": st.booleans(),
        "require_lowercase_characters": st.booleans(),
        "max_password_age": st.none() | st.integers(1, 1095),
        "password_reuse_prevention": st.none() | st.integers(1, 24),
    }
)


def classes(password: str) -> dict[str, bool]:
    return {
        "require_symbols": any(character in AWS_SYMBOLS for character in password),
        "require_numbers": any(character.isdigit() for character in password),
        "require_uppercase_characters": any(character.isupper() for character in password),
        "require_lowercase_characters": any(character.islower() for character in password),
    }


@given(policy=policies, account_name=st.text(max_size=63))
def test_whatever_the_policy_aws_takes_the_password(policy: dict[str, Any] | None, account_name: str) -> None:
    password = passwords.made(password_policy=policy, account_name=account_name)

    assert max(20, (policy or {}).get("minimum_password_length", 8)) <= len(password) <= 128
    found = classes(password)
    assert sum(found.values()) >= 3
    assert all(found[name] for name in found if (policy or {}).get(name))
    assert password.isascii()
    assert not set(password) & LOOK_ALIKES
    assert all(character.isalnum() or character in AWS_SYMBOLS for character in password)
    assert password.lower() != account_name.lower()


def test_no_two_are_alike() -> None:
    assert len({passwords.made(password_policy=None, account_name="acme") for _ in range(1000)}) == 1000


def test_the_account_name_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["AcmeProd", "AcmeProd", "another"])
    monkeypatch.setattr(passwords, "_drawn", lambda length: next(drawn))

    assert passwords.made(password_policy=None, account_name="acmeprod") == "another"
