"""What is sealed to a browser opens with that browser's key alone, and where it belongs."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.secrets.browser import NotAPoint, bound, point_of, seal_to
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret
from tests.portal.secrets.browsers import Browser

BOUND = '["v1", "1", "2", "3"]'


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_the_browser_opens_it(canary: str) -> None:
    browser = Browser()

    sealed = seal_to(browser.public, Secret(canary), BOUND)

    assert browser.open(sealed.reveal(), BOUND) == canary
    assert canary not in sealed.reveal()


def test_two_seals_of_one_secret_have_nothing_in_common(canary: str) -> None:
    browser = Browser()
    first, second = (json.loads(seal_to(browser.public, Secret(canary), BOUND).reveal()) for _ in range(2))

    assert {name for name in first if first[name] == second[name]} == {"form"}


def test_another_browser_does_not_open_it(canary: str) -> None:
    first, second = Browser(), Browser()
    sealed = seal_to(first.public, Secret(canary), BOUND).reveal()

    with pytest.raises(InvalidTag):
        second.open(sealed, BOUND)


@pytest.mark.parametrize("other", ['["v1", "1", "2", "4"]', "", BOUND + " "])
def test_elsewhere_it_does_not_open(canary: str, other: str) -> None:
    browser = Browser()
    sealed = seal_to(browser.public, Secret(canary), BOUND).reveal()

    with pytest.raises(InvalidTag):
        browser.open(sealed, other)


@pytest.mark.parametrize("field", ["organization_id", "recipient_id", "carried_by", "bound_to", "purpose"])
def test_it_is_bound_to_whose_it_is_and_to_what(field: str) -> None:
    facts = {"organization_id": 1, "recipient_id": 2, "carried_by": "3", "bound_to": "AKIA", "purpose": "Access key"}
    other = {**facts, field: 9}

    assert bound(SealedSecret(**facts)) != bound(SealedSecret(**other))


def bad_points() -> dict[str, str]:
    """What is no public key of a browser, and looks more or less like one."""
    good = Browser().point
    compressed = ec.generate_private_key(ec.SECP256R1()).public_key()
    other_curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    standard = next(spelt for spelt in (_standard(Browser().point) for _ in range(99)) if set("+/") & set(spelt))
    return {
        "empty": "",
        "not base64": "*" * 87,
        "not ASCII": "é" * 87,
        "too short": text(good[:-1]),
        "too long": text(good + b"\0"),
        "off the curve": text(good[:-1] + bytes([good[-1] ^ 1])),
        "the point at infinity": text(b"\0" * 65),
        "zeros": text(b"\4" + b"\0" * 64),
        "coordinates beyond the field": text(b"\4" + b"\xff" * 64),
        "compressed": text(compressed.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)),
        "hybrid": text(bytes([6]) + good[1:]),
        "of another curve": text(other_curve.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "padded": text(good) + "=",
        "in the standard alphabet": standard,
        "with a line break": text(good) + "\n",
        "with bits that say nothing": _with_loose_bits(text(good)),
    }


def _standard(point: bytes) -> str:
    return base64.b64encode(point).decode().rstrip("=")


def _with_loose_bits(spelt: str) -> str:
    """65 bytes leave two bits over in the last letter, which a lax decoder ignores."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return spelt[:-1] + letters[letters.index(spelt[-1]) + 1]


@pytest.mark.parametrize("name", bad_points())
def test_what_is_no_point_is_refused(name: str) -> None:
    with pytest.raises(NotAPoint):
        point_of(bad_points()[name])


def test_a_point_is_taken() -> None:
    browser = Browser()

    assert point_of(browser.public).public_numbers() == browser.key.public_key().public_numbers()
