"""Where an application's new keys go: the dialogs that put them into Secrets Manager, or have them shown again."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import IAMUser, KeyDestination
from accounts.usecases import key_destinations
from accounts.views import dialogs
from accounts.views.fresh_sign_in import freshly_signed_in
from accounts.views.iam_users import find, page_of
from accounts.views.organization import PortalRequest

WHO_READS = (
    "The portal puts each new key into AWS Secrets Manager in the application's account, under gatehouse/, and the one "
    "before stays there as AWSPREVIOUS. Whoever may read that secret in AWS has the key."
)


class DestinationForm(OptionalReasonForm):
    """The Region, and how often."""

    region = forms.CharField(max_length=32, help_text="Where the application reads it, such as eu-central-1.")
    rotate_every_days = forms.IntegerField(
        label="Rotate every so many days",
        min_value=1,
        max_value=365,
        required=False,
        help_text="The portal rotates it by itself, and deletes no key that is used. Empty: only when somebody asks.",
    )
    field_order = ("region", "rotate_every_days", "reason")


@require_http_methods(["GET", "POST"])
def set_destination(request: PortalRequest, pk: int) -> HttpResponse:
    """Put keys into Secrets Manager."""
    return _set(request, _changeable(request, pk))


@freshly_signed_in
def _set(request: PortalRequest, iam_user: IAMUser) -> HttpResponse:
    now = KeyDestination.objects.filter(iam_user=iam_user).first()
    every = now.rotate_every_days if now else iam_user.organization.rotate_after_days
    initial = {"region": now.region if now else settings.AWS_REGION, "rotate_every_days": every}
    form, back = DestinationForm(request.POST if request.method == "POST" else None, initial=initial), page_of(iam_user)
    if request.method == "POST" and form.is_valid():
        what = {"iam_user": iam_user, "at": timezone.now(), **form.cleaned_data}
        if decided(form, key_destinations.set_destination, by=request.user, **what) is not None:
            return dialogs.done(request, back)
    title, button = f"Put keys of {iam_user} into Secrets Manager", "Put keys into Secrets Manager"
    return dialogs.show(request, title=title, form=form, button=button, back=back, warning=WHO_READS)


@require_http_methods(["GET", "POST"])
def end_destination(request: PortalRequest, pk: int) -> HttpResponse:
    """Show keys again."""
    return _end(request, _changeable(request, pk))


@freshly_signed_in
def _end(request: PortalRequest, iam_user: IAMUser) -> HttpResponse:
    form, back = OptionalReasonForm(request.POST if request.method == "POST" else None), page_of(iam_user)
    if request.method == "POST" and form.is_valid():
        what = {"iam_user": iam_user, "at": timezone.now(), **form.cleaned_data}
        decided(form, key_destinations.end_destination, by=request.user, **what)
        if not form.errors:
            return dialogs.done(request, back)
    return dialogs.show(
        request,
        title=f"Show keys of {iam_user} again",
        form=form,
        button="Show keys again",
        back=back,
        warning="New keys are sealed for its owner from now on, and rotated only when somebody asks. The secret in AWS "
        "stays as it is: the application reads it.",
    )


def _changeable(request: PortalRequest, pk: int) -> IAMUser:
    """The IAM user for a form. The use-case asks again; here it saves people a form that could only be refused."""
    iam_user = find(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    return iam_user
