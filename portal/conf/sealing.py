"""The form of the `SEALING_KEYS` setting."""

import base64
import binascii

from django.core.exceptions import ImproperlyConfigured


def parse(text: str) -> list[tuple[str, bytes]]:
    """Read `v2:<base64>,v1:<base64>`, newest first, into (version, 32 bytes).

    :raises ImproperlyConfigured: when an item has another form or length, or a version stands twice.
    """
    keys = [_parse_one(item) for item in text.split(",")]
    if len({version for version, _ in keys}) != len(keys):
        raise ImproperlyConfigured("SEALING_KEYS names a version twice.")
    return keys


def _parse_one(item: str) -> tuple[str, bytes]:
    version, _, encoded = item.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not version or len(key) != 32:
        raise ImproperlyConfigured("SEALING_KEYS is a list of version:base64, each key 32 bytes long, newest first.")
    return version, key
