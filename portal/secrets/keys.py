"""The keys that secrets are encrypted under, and small things that are kept encrypted for long.

AES-256-GCM of the `cryptography` package, with random nonces of 96 bits (NIST SP 800-38D, 8.2.2). The versioned keys of
`SEALING_KEYS` encrypt nothing themselves: each use has a key of its own, derived from them (HKDF, RFC 5869).
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
AT_REST = "at rest"


class UnknownKeyVersion(Exception):
    """`SEALING_KEYS` no longer has the version under which something was encrypted."""


class Unreadable(Exception):
    """What was stored was changed, or belongs to another place."""


def newest_version() -> str:
    """The version under which new things are encrypted."""
    version: str = settings.SEALING_KEYS[0][0]
    return version


def key_for(use: str, version: str) -> bytes:
    """The 32-byte key of a version for one use.

    :raises UnknownKeyVersion: when the settings do not have the version.
    """
    key = dict(settings.SEALING_KEYS).get(version)
    if key is None:
        raise UnknownKeyVersion(f"SEALING_KEYS has no key of version {version}.")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"gatehouse {use}".encode()).derive(key)


def encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    """A nonce and, behind it, the ciphertext, which opens only together with the same bound bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def decrypt(key: bytes, encrypted: bytes, bound: bytes) -> bytes:
    """What `encrypt` was given.

    :raises Unreadable: when the bytes, or what they are bound to, differ from then.
    """
    if len(encrypted) < NONCE_BYTES + TAG_BYTES:
        raise Unreadable("It is too short to have been encrypted.")
    try:
        return AESGCM(key).decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], bound)
    except InvalidTag:
        raise Unreadable("It was changed since it was encrypted, or stands in another place.") from None


def encrypt_at_rest(plaintext: str | bytes, context: str) -> str:
    """Text to store: `<version>:<base64>`. `context` says whose it is ("totp|17"); elsewhere it does not open."""
    version = newest_version()
    plain = plaintext.encode() if isinstance(plaintext, str) else plaintext
    encrypted = encrypt(key_for(AT_REST, version), plain, context.encode())
    return f"{version}:{base64.b64encode(encrypted).decode()}"


def decrypt_at_rest(stored: str, context: str) -> bytes:
    """The bytes that `encrypt_at_rest` was given, text as UTF-8.

    :raises UnknownKeyVersion: when the settings do not have the version any more.
    :raises Unreadable: when it was changed, or stored under another context.
    """
    version, _, encoded = stored.partition(":")
    try:
        encrypted = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Unreadable("It is not what encrypt_at_rest gave.") from None
    return decrypt(key_for(AT_REST, version), encrypted, context.encode())
