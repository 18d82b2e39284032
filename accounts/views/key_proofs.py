"""Showing that the new key of a rotation works where it is needed, and having AWS asked for its use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.models import Rotation
from accounts.usecases import rotation_proofs
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of

TITLE = "Show that the new key works"
NOT_NOW = "There is nothing to show now: {}."


class _Unkept(forms.Textarea):
    """What was pasted goes into no page."""

    def format_value(self, value: Any) -> None:
        return None


class SignedRequestForm(forms.Form):
    """What the second command printed."""

    signed_request = forms.CharField(
        label="What the command printed",
        help_text="It is good for five minutes and says nothing but whose key signed it. The portal does not keep it.",
        widget=_Unkept(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}),
    )


@sensitive_post_parameters(rotation_proofs.FIELD)
@require_http_methods(["GET", "POST"])
def prove(request: PortalRequest, pk: int) -> HttpResponse:
    """The new key works."""
    rotation = _find(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_ACCESS_KEYS, iam_user=rotation.iam_user)
    back = reverse("rotation", args=[pk])
    if request.method == "GET" and rotation.state != Rotation.State.DELIVERED:
        words = NOT_NOW.format(rotation.get_state_display().lower())
        return dialogs.show(request, title=TITLE, form=forms.Form(), back=back, warning=words)
    form = SignedRequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"rotation": rotation, "at": timezone.now(), **form.cleaned_data}
        if decided(form, rotation_proofs.prove_new_key, by=request.user, **what) is not None:
            return dialogs.done(request, back)
    return dialogs.show(
        request,
        title=TITLE,
        form=form,
        button="The new key works",
        back=back,
        fields="accounts/_prove_new_key_fields.html",
        new_key=rotation.new_key,
        use_command=use_command(),
        request_command=request_command(),
    )


def use_command() -> str:
    """What lets AWS see the key used, for a place that has the AWS CLI."""
    endpoint = f" --endpoint-url {settings.AWS_ENDPOINT_URL}" if settings.AWS_ENDPOINT_URL else ""
    return f"aws sts get-caller-identity --region {settings.AWS_REGION}{endpoint}"


def request_command() -> str:
    """What prints a signed request, for a place that has Python with boto3.

    `HttpMethod` is said because botocore signs a POST otherwise.
    """
    endpoint = f', endpoint_url="{settings.AWS_ENDPOINT_URL}"' if settings.AWS_ENDPOINT_URL else ""
    client = f'boto3.client("sts", region_name="{settings.AWS_REGION}"{endpoint})'
    signed = f'{client}.generate_presigned_url("get_caller_identity", ExpiresIn=300, HttpMethod="GET")'
    return f"python3 -c 'import boto3; print({signed})'"


def _find(request: PortalRequest, pk: int) -> Rotation:
    """The rotation, if the person sees it in the organization they are looking at; else 404."""
    rows = Rotation.objects.visible_to(request.user).filter(organization=organization_of(request))
    return get_object_or_404(rows.select_related("account", "iam_user__account", "old_key", "new_key"), pk=pk)
