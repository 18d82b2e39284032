"""A second seal inside the portal's own, which one browser alone can open.

The page makes a key pair on P-256 whose private half no script can read, and sends the public one along. The worker
seals to it as soon as it has the secret: ephemeral ECDH (SP 800-56A, 6.2.2), HKDF-SHA256 (RFC 5869) and AES-256-GCM,
the parts of HPKE that WebCrypto has. From then on whoever has the database and `SEALING_KEYS` has nothing to read.
"""

import base64
import binascii
import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.secrets import keys
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

FORM = "v1"
INFO = b"gatehouse browser v1"
# An uncompressed point (SEC 1, 2.3.3): a byte that says so, and two coordinates of 32 bytes.
POINT_BYTES = 65
UNCOMPRESSED = 4


class NotAPoint(ValueError):
    """It is not the public key of a browser."""


def point_of(browser_key: str) -> ec.EllipticCurvePublicKey:
    """The public key that a page sent: a point of P-256, uncompressed, as base64url without padding.

    :raises NotAPoint: for anything else, also for the same point in another spelling.
    """
    try:
        point = base64.urlsafe_b64decode(browser_key + "=")
    except (binascii.Error, ValueError):
        raise NotAPoint("It is not base64url.") from None
    if len(point) != POINT_BYTES or point[0] != UNCOMPRESSED or _text(point) != browser_key:
        raise NotAPoint("It is not an uncompressed point of P-256.")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise NotAPoint("It is not on the curve P-256.") from None


def seal_to(browser_key: str, secret: Secret, bound: str) -> Secret:
    """The secret as JSON that this browser alone can read, and only together with the same bound text.

    :raises NotAPoint: where the key is none.
    """
    recipient, ephemeral = point_of(browser_key), ec.generate_private_key(ec.SECP256R1())
    sender = _point(ephemeral.public_key())
    derivation = HKDF(algorithm=SHA256(), length=keys.KEY_BYTES, salt=sender + _point(recipient), info=INFO)
    key = derivation.derive(ephemeral.exchange(ec.ECDH(), recipient))
    encrypted = keys.encrypt(key, secret.reveal().encode(), bound.encode())
    nonce, ciphertext = encrypted[: keys.NONCE_BYTES], encrypted[keys.NONCE_BYTES :]
    parts = {"form": FORM, "key": _text(sender), "nonce": _text(nonce), "ciphertext": _text(ciphertext)}
    return Secret(json.dumps(parts))


def bound(sealed: SealedSecret) -> str:
    """What the browser's seal is bound to, as both sides spell it: whose it is, what made it, and what it is of."""
    parts = [
        FORM, sealed.organization_id, sealed.recipient_id, sealed.carried_by, sealed.bound_to, sealed.purpose,
    ]  # fmt: skip
    return json.dumps([str(part) for part in parts])


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
