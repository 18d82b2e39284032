"""Secrets of the embedded installation: made at its first start, kept in `var/`, readable by its owner alone."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path


def secret_key(path: Path) -> str:
    """Django's signing key, as text of 64 URL-safe bytes."""
    return _made_once(path, secrets.token_urlsafe(64))


def sealing_keys(path: Path) -> str:
    """One 256-bit key in the form of the `SEALING_KEYS` setting: `v1:<base64>`."""
    return _made_once(path, "v1:" + base64.b64encode(secrets.token_bytes(32)).decode())


def _made_once(path: Path, value: str) -> str:
    # Several processes start at once: each writes its own draft, the first link wins, all read the winner.
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(value)
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
