"""A browser's side of its seal, as static/js/browser_keys.js has it."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Browser:
    """A key pair that was made for one request."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def point(self) -> bytes:
        """The public key as 65 bytes."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def public(self) -> str:
        """The public key as the form has it."""
        return base64.urlsafe_b64encode(self.point).decode().rstrip("=")

    def open(self, sealed: str, bound: str) -> str:
        """What the JSON holds.

        :raises InvalidTag: for another browser's, or with another bound text.
        """
        parts = {name: base64.urlsafe_b64decode(value + "==") for name, value in json.loads(sealed).items()}
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), parts["key"])
        derivation = HKDF(algorithm=SHA256(), length=32, salt=parts["key"] + self.point, info=b"gatehouse browser v1")
        key = derivation.derive(self.key.exchange(ec.ECDH(), sender))
        return AESGCM(key).decrypt(parts["nonce"], parts["ciphertext"], bound.encode()).decode()
