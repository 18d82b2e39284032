"""The addresses of the product pages."""

from django.urls import path

from accounts.views import accounts, deliveries, drift, exports, home, iam_user_changes, iam_users, ledger, organization

urlpatterns = [
    path("", home.home, name="home"),
    path("organizations/<slug:slug>/switch/", organization.switch, name="switch_organization"),
    path("team/", iam_users.IAMUserList.as_view(), name="team"),
    path("team/iam-users/new/", iam_user_changes.create, name="create_iam_user"),
    path("team/iam-users/new/fields/", iam_user_changes.create_fields, name="create_iam_user_fields"),
    path("team/iam-users/<int:pk>/", iam_users.detail, name="iam_user"),
    path("team/iam-users/<int:pk>/facts/", iam_users.facts, name="iam_user_facts"),
    path("team/iam-users/<int:pk>/state/", iam_users.state, name="iam_user_state"),
    path("team/iam-users/<int:pk>/tags/", iam_user_changes.tag, name="tag_iam_user"),
    path("team/iam-users/<int:pk>/groups/add/", iam_user_changes.add_to_group, name="add_to_group"),
    path(
        "team/iam-users/<int:pk>/groups/<int:membership>/remove/",
        iam_user_changes.remove_from_group,
        name="remove_from_group",
    ),
    path("team/iam-users/<int:pk>/delete/", iam_user_changes.delete, name="delete_iam_user"),
    path("accounts/", accounts.AccountList.as_view(), name="accounts"),
    path("accounts/connect/", accounts.connect, name="connect_account"),
    path("accounts/<int:pk>/", accounts.detail, name="account"),
    path("accounts/<int:pk>/progress/", accounts.progress, name="account_progress"),
    path("accounts/<int:pk>/pace/", accounts.set_pace, name="set_pace"),
    path("accounts/<int:pk>/refresh/", accounts.refresh, name="refresh_account"),
    path("accounts/<int:pk>/drift/", drift.plan, name="drift"),
    path("accounts/<int:pk>/drift/past/", drift.past, name="drift_past"),
    path("accounts/<int:pk>/drift/adopt/", drift.adopt, name="adopt_drift"),
    path("accounts/<int:pk>/drift/revert/", drift.revert, name="revert_drift"),
    path("deliveries/", deliveries.DeliveryList.as_view(), name="deliveries"),
    path("deliveries/<int:pk>/", deliveries.detail, name="delivery"),
    path("deliveries/<int:pk>/facts/", deliveries.facts, name="delivery_facts"),
    path("deliveries/<int:pk>/try-again/", deliveries.try_again, name="try_again"),
    path("deliveries/<int:pk>/give-up/", deliveries.give_up, name="give_up"),
    path("ledger/", ledger.EntryList.as_view(), name="ledger"),
    path("ledger/export.<slug:form>", exports.export, name="export_ledger"),
    path("ledger/<uuid:pk>/", ledger.entry, name="entry"),
]
