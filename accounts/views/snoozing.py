"""Snooze reminders of an access key."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.iam_user_forms import UntilField
from accounts.models import AccessKey
from accounts.usecases import key_reminders
from accounts.views import dialogs
from accounts.views.key_slots import back_of
from accounts.views.organization import PortalRequest, organization_of

SUGGESTED = timedelta(days=7)


class SnoozeForm(forms.Form):
    """Until when nobody is reminded, and why."""

    until = UntilField(help_text="In UTC, within the next 30 days.")
    reason = forms.CharField(label="Reason", max_length=2000, help_text="Kept in the ledger.")


@require_http_methods(["GET", "POST"])
def snooze(request: PortalRequest, pk: int) -> HttpResponse:
    """Snooze reminders."""
    access_key = _find(request, pk)
    form, now = SnoozeForm(request.POST or None, initial={"until": timezone.now() + SUGGESTED}), timezone.now()
    back = back_of(request, access_key.iam_user)
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        if decided(form, key_reminders.snooze_reminders, by=request.user, access_key=access_key, at=now, **what):
            return dialogs.done(request, back)
    warning = "Nobody is reminded of it until then. The key is due all the same."
    title = f"Snooze reminders of {access_key}"
    return dialogs.show(request, title=title, form=form, button="Snooze reminders", back=back, warning=warning)


def _find(request: PortalRequest, pk: int) -> AccessKey:
    """The key, for its IAM user's owner and whoever may change access keys; else 404, or 403 where they see it."""
    keys = AccessKey.objects.present().filter(organization=organization_of(request))
    seen = keys.visible_to(request.user) | keys.filter(iam_user__owner=request.user)
    access_key = get_object_or_404(seen.select_related("iam_user__account", "iam_user__organization"), pk=pk)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_ACCESS_KEYS, iam_user=access_key.iam_user)
    return access_key
