"""What is in the records room, and what other apps would have put there."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from accounts.admin.scoped import ScopedAdmin
from accounts.models import GroupMembership, Person
from portal.ledger.models import Head
from portal.site import RecordsRoom
from tests.accounts.admin.conftest import Enter, Worlds

HIDDEN = {"password", "ciphertext", "nonce", "wrapped_key", "external_id", "claim", "baseline"}
# The chain's own row, and what the pages of an IAM user and a group tell anyway.
LEFT_OUT = {Head, GroupMembership}


def test_every_model_of_ours_is_here() -> None:
    ours = {model for label in ("accounts", "ledger", "secrets") for model in apps.get_app_config(label).get_models()}

    assert set(admin.site._registry) == ours - LEFT_OUT


@pytest.mark.parametrize("registered", admin.site._registry.values(), ids=lambda one: type(one).__name__)
def test_every_admin_is_scoped_and_names_what_it_shows(registered: ModelAdmin) -> None:
    assert isinstance(registered, ScopedAdmin)
    shown = {*(registered.fields or ()), *registered.list_display, *registered.search_fields}
    assert not {str(name).rpartition("__")[2] for name in shown} & HIDDEN


@pytest.mark.parametrize("model", [EmailAddress, Authenticator, Group, LogEntry])
def test_other_apps_models_are_not(enter: Enter, olive: Person, model: type[Model]) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert enter(olive).get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").status_code == 404


def test_an_admin_without_a_permission_stays_out() -> None:
    room = RecordsRoom()

    room.register(EmailAddress, ModelAdmin)
    room.register(Group)

    assert not room.is_registered(EmailAddress)
    assert not room.is_registered(Group)


def test_the_index_offers_what_the_duty_includes(enter: Enter, lena: Person, olive: Person, worlds: Worlds) -> None:
    assert models_offered(enter, olive) - models_offered(enter, lena) == {
        "entry",
        "delivery",
        "sealedsecret",
        "calendarfeed",
    }


def models_offered(enter: Enter, person: Person) -> set[str]:
    apps_offered = enter(person).get("/admin/").context["app_list"]
    return {model["model"]._meta.model_name for app in apps_offered for model in app["models"]}


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/admin/logout/", "account_logout"),
        ("/admin/password_change/", "account_change_password"),
        ("/admin/password_change/done/", "account_change_password"),
    ],
)
def test_ones_own_sign_in_is_not_changed_here(enter: Enter, olive: Person, path: str, there: str) -> None:
    answer = enter(olive).post(path, {"old_password": "x", "new_password1": "y", "new_password2": "y"})

    assert (answer.status_code, answer["Location"]) == (302, reverse(there))
