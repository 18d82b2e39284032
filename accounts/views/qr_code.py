"""The QR code by which an authenticator app takes over a seed."""

from __future__ import annotations

import io
from urllib.parse import quote, urlencode

import segno

from accounts.models import IAMUser

ISSUER = "Amazon Web Services"


def drawn(seed: str, iam_user: IAMUser) -> str:
    """As SVG of its own, black on white whatever the page's colours, without styles, which the portal's policy refuses.

    It says what AWS's own would (IAM API reference, VirtualMFADevice: QRCodePNG), and whose account it is.
    """
    label = quote(f"{ISSUER}:{iam_user.user_name}@{iam_user.account.alias or iam_user.account.account_id}")
    address = f"otpauth://totp/{label}?{urlencode({'secret': seed, 'issuer': ISSUER}, quote_via=quote)}"
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        picture, kind="svg", xmldecl=False, omitsize=True, svgclass=None, lineclass=None, dark="#000", light="#fff",
        nl=False,
    )  # fmt: skip
    return picture.getvalue().decode()
