"""Organizations, people, teams, AWS accounts, and the IAM users in them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AccountsConfig(AppConfig):
    """Hangs the app's delivery handlers and database guards up when Django is ready."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import delivery
        from accounts.delivery.approvals import approvals
        from accounts.models import tenancy
        from accounts.usecases import requests

        delivery.register_handlers()
        approvals.lapse = requests.lapse
        # Around each migration, not in one: SQLite drops a table's triggers when it rebuilds the table.
        pre_migrate.connect(tenancy.take_down_before_migrate, sender=self)
        post_migrate.connect(tenancy.install_after_migrate, sender=self)
