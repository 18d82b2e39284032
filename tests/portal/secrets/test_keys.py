"""Small things kept encrypted for long, such as the seeds of one-time codes."""

import pytest
from pytest_django import Settings

from portal.secrets.keys import UnknownKeyVersion, Unreadable, decrypt_at_rest, encrypt_at_rest, key_for

OLD, NEW = ("v1", b"1" * 32), ("v2", b"2" * 32)


@pytest.mark.parametrize("plaintext", ["JBSWY3DPEHPK3PXP", b"\x00\xff", "", "žluť"])
def test_it_comes_back_as_it_was(plaintext: str | bytes) -> None:
    expected = plaintext.encode() if isinstance(plaintext, str) else plaintext

    assert decrypt_at_rest(encrypt_at_rest(plaintext, "totp|17"), "totp|17") == expected


def test_it_shows_neither_its_text_nor_that_two_are_alike() -> None:
    first, second = encrypt_at_rest("JBSWY3DPEHPK3PXP", "totp|17"), encrypt_at_rest("JBSWY3DPEHPK3PXP", "totp|17")

    assert "JBSWY3DPEHPK3PXP" not in first
    assert first != second


def test_it_does_not_open_as_somebody_elses() -> None:
    stored = encrypt_at_rest("JBSWY3DPEHPK3PXP", "totp|17")

    with pytest.raises(Unreadable):
        decrypt_at_rest(stored, "totp|18")


@pytest.mark.parametrize("changed", ["v2:", "v2:AAAA", "v2:not base64!", "v2", ""])
def test_what_was_changed_is_unreadable(changed: str, settings: Settings) -> None:
    settings.SEALING_KEYS = [NEW, ("", b"3" * 32)]

    with pytest.raises(Unreadable):
        decrypt_at_rest(changed, "totp|17")


def test_an_older_key_still_opens_and_a_missing_one_is_named(settings: Settings) -> None:
    settings.SEALING_KEYS = [OLD]
    stored = encrypt_at_rest("seed", "totp|17")

    settings.SEALING_KEYS = [NEW, OLD]
    assert decrypt_at_rest(stored, "totp|17") == b"seed"
    assert encrypt_at_rest("seed", "totp|17").startswith("v2:")

    settings.SEALING_KEYS = [NEW]
    with pytest.raises(UnknownKeyVersion, match="v1"):
        decrypt_at_rest(stored, "totp|17")


def test_each_use_has_a_key_of_its_own(settings: Settings) -> None:
    settings.SEALING_KEYS = [NEW]

    assert len({key_for("at rest", "v2"), key_for("wrapping", "v2"), NEW[1]}) == 3
