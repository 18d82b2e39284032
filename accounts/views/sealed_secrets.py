"""The page on which the recipient of a secret opens it, once (security: A09)."""

from __future__ import annotations

import json
import logging
import uuid
from http import HTTPStatus

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import access
from accounts.models import AccessKey, Account, IAMUser
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import own_secrets, sealed_secrets
from accounts.views import qr_code
from accounts.views.organization import PortalRequest, organization_of
from portal.secrets import browser, keys, seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

logger = logging.getLogger(__name__)

# IAM User Guide, "Sign in to the AWS Management Console as an IAM user"; China and GovCloud have their own.
SIGN_IN = {"aws": "signin.aws.amazon.com", "aws-cn": "signin.amazonaws.cn", "aws-us-gov": "signin.amazonaws-us-gov.com"}
WAS_NOT_YOU = {
    Purpose.PASSWORD: "If it was not you, have the password reset at once.",
    Purpose.ACCESS_KEY: "If it was not you, make the key inactive at once: nothing works with it then.",
    Purpose.MFA_DEVICE: "If it was not you, or your app did not take it over, give this MFA device up and register "
    "another one.",
}
UNREADABLE = "The portal cannot read this secret any more. Ask whoever made it for another one."


@require_GET
@never_cache
def page(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """What it is, and until when it waits; whoever is not its recipient is told 404 before anything is asked."""
    return _page(request, _find(request, pk))


@reauthentication_required
def _page(request: PortalRequest, sealed: SealedSecret) -> HttpResponse:
    bond = Bond.of(sealed)
    iam_user = IAMUser.objects.select_related("account").get(pk=bond.iam_user_id)
    is_ready = sealed.state == SealedSecret.State.READY and sealed.expires_at > timezone.now()
    access_key = _access_key(bond, iam_user)
    context = {
        "sealed": sealed,
        "iam_user": iam_user,
        "is_ready": is_ready,
        "is_opened": sealed.state == SealedSecret.State.OPENED,
        "was_not_you": WAS_NOT_YOU[bond.purpose],
        "is_handed_over": sealed.state == SealedSecret.State.HANDED,
        "access_key_id": bond.id if bond.purpose is Purpose.ACCESS_KEY else "",
        "works_still": access_key is not None and access_key.gone_at is None and access_key.status == "Active",
        "may_hand_over": is_ready and own_secrets.may_hand_over(by=request.user, sealed=sealed, iam_user=iam_user),
        "bound": browser.bound(sealed) if sealed.browser_key else "",
        "codes_address": reverse("enable_mfa_device", args=[iam_user.pk]) if bond.purpose is Purpose.MFA_DEVICE else "",
        "sign_in_address": _sign_in_address(iam_user.account) if bond.purpose is Purpose.PASSWORD else "",
    }
    return render(request, "accounts/secret.html", context)


@require_POST
def open_once(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show secret, as JSON and once: `secret`, with the `picture` of a seed; or `words` that say why not.

    One that is `sealed` to a browser can be read there alone.
    """
    sealed = _find(request, pk)
    try:
        answer = _open(request, sealed)
    except ReauthenticationRequired:
        # Not allauth's own way: after the sign-in it would carry on with this request, as a page.
        answer = _refused("Sign in again to see it.", HTTPStatus.UNAUTHORIZED)
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@reauthentication_required
def _open(request: PortalRequest, sealed: SealedSecret) -> JsonResponse:
    address, now = get_adapter().get_client_ip(request), timezone.now()
    try:
        secret = sealed_secrets.open_sealed_secret(by=request.user, secret_id=sealed.pk, at=now, address=address)
    except (seal.AlreadyOpened, seal.Expired, seal.HandedOver) as refusal:
        return _refused(str(refusal), HTTPStatus.GONE)
    except (keys.Unreadable, keys.UnknownKeyVersion):
        logger.exception("A sealed secret cannot be read")
        return _refused(UNREADABLE, HTTPStatus.GONE)
    if sealed.browser_key:
        return JsonResponse({"sealed": json.loads(secret.reveal())})
    return JsonResponse({"secret": secret.reveal(), **_picture_of(secret, sealed)})


def _find(request: PortalRequest, pk: uuid.UUID) -> SealedSecret:
    """The person's own, in the organization that they are looking at; else 404."""
    sealed = sealed_secrets.require_recipient(by=request.user, secret_id=pk)
    if sealed.organization_id != organization_of(request).pk:
        raise access.NotThere
    return sealed


def _access_key(bond: Bond, iam_user: IAMUser) -> AccessKey | None:
    if bond.purpose is not Purpose.ACCESS_KEY:
        return None
    return AccessKey.objects.filter(organization=iam_user.organization_id, access_key_id=bond.id).first()


def _picture_of(secret: Secret, sealed: SealedSecret) -> dict[str, str]:
    """The QR code of an MFA device's seed; nothing of other secrets."""
    bond = Bond.of(sealed)
    if bond.purpose is not Purpose.MFA_DEVICE:
        return {}
    iam_user = IAMUser.objects.select_related("account").get(pk=bond.iam_user_id)
    return {"picture": qr_code.drawn(secret.reveal(), iam_user)}


def _refused(words: str, status: HTTPStatus) -> JsonResponse:
    return JsonResponse({"words": words}, status=status)


def _sign_in_address(account: Account) -> str:
    return f"https://{account.alias or account.account_id}.{SIGN_IN[account.partition]}/console"
