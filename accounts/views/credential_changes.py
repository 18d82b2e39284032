"""The dialogs about passwords and first keys: each asks, calls one use-case, and leads back to the IAM user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import IAMUser
from accounts.secret_forms import OwnKeyForm
from accounts.usecases import console_access, first_keys
from accounts.views import dialogs
from accounts.views.iam_users import changeable, page_of
from accounts.views.organization import PortalRequest

NOT_OWN_KEY = "Its secret is sealed for {}. You will not see it. If nobody opens it in time, the key is deleted."
OWN_KEY = (
    "Its secret is sealed for you and for this browser. Open it here: another browser cannot. If you do not in time, "
    "the key is deleted."
)


@require_http_methods(["GET", "POST"])
def create_console_access(request: PortalRequest, pk: int) -> HttpResponse:
    """Create console access."""
    iam_user = changeable(request, pk, Permission.CHANGE_CONSOLE_ACCESS)
    return _ask(
        request,
        iam_user,
        console_access.create_login_profile,
        title=f"Create console access for {iam_user}",
        button="Create console access",
        warning=f"A password is made and sealed for {_recipient(iam_user)}, who changes it at the first sign-in. "
        "You will not see it.",
    )


@require_http_methods(["GET", "POST"])
def reset_console_access(request: PortalRequest, pk: int) -> HttpResponse:
    """Reset password."""
    iam_user = changeable(request, pk, Permission.CHANGE_CONSOLE_ACCESS)
    return _ask(
        request,
        iam_user,
        console_access.reset_login_profile,
        title=f"Reset password of {iam_user}",
        button="Reset password",
        warning="The password that it has ends as soon as AWS has the new one, which is sealed for "
        f"{_recipient(iam_user)}. You will not see it.",
    )


@require_http_methods(["GET", "POST"])
def remove_console_access(request: PortalRequest, pk: int) -> HttpResponse:
    """Remove console access."""
    iam_user = changeable(request, pk, Permission.CHANGE_CONSOLE_ACCESS)
    return _ask(
        request,
        iam_user,
        console_access.remove_login_profile,
        title=f"Remove console access of {iam_user}",
        button="Remove console access",
        button_kind="danger",
        warning=f"{iam_user} can no longer sign in to the console. Its access keys and groups stay.",
    )


@require_http_methods(["GET", "POST"])
def create_access_key(request: PortalRequest, pk: int) -> HttpResponse:
    """Create access key."""
    iam_user = changeable(request, pk, Permission.CREATE_ACCESS_KEY)
    is_own = iam_user.owner_id == request.user.pk
    return _ask(
        request,
        iam_user,
        first_keys.create_access_key,
        form_class=OwnKeyForm if is_own else OptionalReasonForm,
        title=f"Create access key for {iam_user}",
        button="Create access key",
        fields="accounts/_own_key_fields.html" if is_own else None,
        warning=OWN_KEY if is_own else NOT_OWN_KEY.format(_recipient(iam_user)),
    )


def _ask(
    request: PortalRequest,
    iam_user: IAMUser,
    decide: Callable[..., IAMUser],
    *,
    form_class: type[OptionalReasonForm] = OptionalReasonForm,
    **context: Any,
) -> HttpResponse:
    form, back = form_class(request.POST or None), page_of(iam_user)
    if request.method == "POST" and form.is_valid():
        done = decided(form, decide, by=request.user, iam_user=iam_user, at=timezone.now(), **form.cleaned_data)
        if done is not None:
            return dialogs.done(request, back)
    return dialogs.show(request, form=form, back=back, **context)


def _recipient(iam_user: IAMUser) -> str:
    """For whom it will be sealed; whoever may tag in the AWS account can have named them."""
    if iam_user.owner is None:
        return "its owner, of whom it has none yet"
    is_by_hand = iam_user.owner_said_by in ("", IAMUser.SaidBy.HAND)
    said_by = "" if is_by_hand else f", its owner by {iam_user.get_owner_said_by_display()}"
    return f"{iam_user.owner} ({iam_user.owner.email}{said_by})"
