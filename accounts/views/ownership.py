"""Whose IAM users are: the tags and rules by which imported ones find their team and owner."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access, ownership
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, OwnershipRuleForm, PlaceForm, TagNamesForm, decided
from accounts.models import Organization, OwnershipRule
from accounts.usecases import ownership_rules
from accounts.usecases.ownership import apply_ownership_rules
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of


@require_GET
def page(request: PortalRequest) -> HttpResponse:
    """The tags, the rules in their order, and what they would do to the unassigned."""
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
    found = ownership.preview(organization)
    rules = list(_rules(request))
    last = len(rules)
    context = {
        "organization": organization,
        "found": found,
        "rules": [
            {
                "rule": rule,
                "takes": found.by_rule.get(rule.pk, 0),
                "up": place - 1,
                "down": place + 1 if place < last else 0,
            }
            for place, rule in enumerate(rules, start=1)
        ],
        "may_change": access.may(by=request.user, to=Permission.CHANGE_OWNERSHIP, organization=organization),
    }
    return render(request, "accounts/ownership.html", context)


@require_http_methods(["GET", "POST"])
def set_tags(request: PortalRequest) -> HttpResponse:
    """Set tag names."""
    organization = _changeable(request)
    kept = {"team_tag": organization.team_tag, "owner_tag": organization.owner_tag}
    form = TagNamesForm(request.POST or None, initial=kept)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        if decided(form, ownership_rules.set_tag_names, **what) is not None:
            return dialogs.done(request, reverse("ownership"))
    return _dialog(request, title="Tags that name team and owner", form=form, button="Set tag names")


@require_http_methods(["GET", "POST"])
def create(request: PortalRequest) -> HttpResponse:
    """Add rule."""
    organization = _changeable(request)
    form = OwnershipRuleForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        if decided(form, ownership_rules.create_ownership_rule, **what) is not None:
            return dialogs.done(request, reverse("ownership"))
    return _dialog(request, title="Add rule", form=form, button="Add rule", fields="accounts/_rule_fields.html")


@require_http_methods(["GET", "POST"])
def change(request: PortalRequest, pk: int) -> HttpResponse:
    """Change rule."""
    rule = _changeable_rule(request, pk)
    kept = {name: getattr(rule, name) for name in ("path_prefix", "name_pattern", "account", "team", "owner")}
    form = OwnershipRuleForm(request.POST or None, organization=rule.organization, initial=kept)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "rule": rule, "at": timezone.now(), **form.cleaned_data}
        if decided(form, ownership_rules.change_ownership_rule, **what) is not None:
            return dialogs.done(request, reverse("ownership"))
    return _dialog(request, title="Change rule", form=form, button="Change rule", fields="accounts/_rule_fields.html")


@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Delete rule."""
    rule = _changeable_rule(request, pk)
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ownership_rules.delete_ownership_rule(by=request.user, rule=rule, at=timezone.now(), **form.cleaned_data)
        return dialogs.done(request, reverse("ownership"))
    return _dialog(
        request,
        title=f"Delete rule {rule}",
        form=form,
        button="Delete rule",
        button_kind="danger",
        warning="What this rule alone said of IAM users ends when their account is read next. You can add it again.",
    )


@require_POST
def move(request: PortalRequest, pk: int) -> HttpResponse:
    """Move up, or down."""
    rule, form = _changeable_rule(request, pk), PlaceForm(request.POST)
    if not form.is_valid():
        raise access.NotThere
    try:
        ownership_rules.move_ownership_rule(by=request.user, rule=rule, at=timezone.now(), **form.cleaned_data)
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("ownership")


@require_http_methods(["GET", "POST"])
def apply(request: PortalRequest) -> HttpResponse:
    """Apply rules."""
    organization, form = _changeable(request), OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        assigned = decided(form, apply_ownership_rules, **what)
        if assigned is not None:
            messages.info(request, f"Tags and rules: {len(assigned)} assigned.")
            return dialogs.done(request, reverse("ownership"))
    found = ownership.preview(organization)
    read = f"the first {found.read} of {found.unassigned}" if found.read < found.unassigned else found.unassigned
    return _dialog(
        request,
        title="Apply tags and rules now",
        form=form,
        button="Apply rules",
        warning=f"{found.assigned} of {read} unassigned IAM users get the team or owner that they lack. "
        "Whose the others are stays.",
    )


def _changeable(request: PortalRequest) -> Organization:
    """The organization for a form. The use-case asks again; here it saves people a form that could only be refused."""
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.CHANGE_OWNERSHIP, organization=organization)
    return organization


def _changeable_rule(request: PortalRequest, pk: int) -> OwnershipRule:
    rule = get_object_or_404(_rules(request), pk=pk)
    _changeable(request)
    return rule


def _rules(request: PortalRequest) -> QuerySet[OwnershipRule]:
    rows = OwnershipRule.objects.visible_to(request.user).filter(organization=organization_of(request))
    return rows.select_related("organization", "account", "team", "owner").order_by("position", "pk")


def _dialog(request: PortalRequest, **context: Any) -> HttpResponse:
    return dialogs.show(request, back=reverse("ownership"), **context)
