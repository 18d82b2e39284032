"""Lists that sort and page on the server. The first column is what one looks for; it links to the thing."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from accounts.kinds import in_words
from accounts.models import Account, DiscoveredAccount, Organization
from accounts.views import states
from portal.ledger.models import Delivery, Entry

# Sorted and cut by the table alone: a list view that pages too would do it twice.
PAGE = {"per_page": 50}

# What becomes of a column at 390 px, where a row has two lines; those without a class are left out there.
PRIMARY = {"td": {"class": "primary"}, "th": {"class": "primary"}}
STATE = {"td": {"class": "state"}, "th": {"class": "state"}}
SECONDARY = {"td": {"class": "secondary"}, "th": {"class": "secondary"}}
MARK = {"td": {"class": "mark"}, "th": {"class": "mark"}}


@cache
def badge(words: str, tone: str) -> str:
    """The badge as markup: a list of a thousand rows has a handful of different ones."""
    return render_to_string("components/_badge.html", {"words": words, "tone": tone})


class PagedTable(tables.Table):
    """A table whose pages have the length that is ours to say: an address could ask for all rows at once, or for -1."""

    per_page = PAGE["per_page"]

    def paginate(self, *args: Any, **kwargs: Any) -> PagedTable:
        """Called by django-tables2 with what the address asks for."""
        return super().paginate(*args, **kwargs | {"per_page": self.per_page})


class EntryTable(PagedTable):
    """The ledger, newest first."""

    sequence = tables.Column("No.")
    kind = tables.Column("Decision", linkify=("entry", [tables.A("pk")]), attrs=PRIMARY)
    subject_name = tables.Column("On", attrs=SECONDARY)
    by_name = tables.Column("By", attrs=SECONDARY)
    at = tables.Column("When", attrs=SECONDARY)

    class Meta:
        model = Entry
        fields = ("sequence", "kind", "subject_name", "by_name", "at")
        order_by = ("-sequence",)
        empty_text = "Nothing was decided yet"

    def render_kind(self, value: str) -> str:
        return in_words(value)

    def render_subject_name(self, value: str) -> str:
        return render_to_string("components/_identifier.html", {"value": value})

    def render_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})


class DeliveryTable(PagedTable):
    """Deliveries, newest first."""

    kind = tables.Column("Decision", accessor="entry__kind", linkify=("delivery", [tables.A("pk")]), attrs=PRIMARY)
    state = tables.Column("State", attrs=STATE)
    subject = tables.Column("On", attrs=SECONDARY)
    lane = tables.Column("AWS account")
    attempts = tables.Column("Attempts")
    error = tables.Column("Last error", orderable=False, default="")
    created_at = tables.Column("Decided", attrs=SECONDARY)

    class Meta:
        model = Delivery
        fields = ("kind", "state", "subject", "lane", "attempts", "error", "created_at")
        order_by = ("-created_at",)
        empty_text = "Nothing to deliver"

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at

    def render_kind(self, value: str) -> str:
        return in_words(value)

    def render_state(self, record: Delivery) -> str:
        return render_to_string("accounts/_delivery_state.html", {"shown": states.of_delivery(record, at=self._at)})

    def render_subject(self, value: str) -> str:
        return render_to_string("components/_identifier.html", {"value": value})

    def render_created_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})


class AccountTable(PagedTable):
    """AWS accounts and since when the portal knows what is in them."""

    name = tables.Column("AWS account", linkify=("account", [tables.A("pk")]), attrs=PRIMARY)
    account_id = tables.Column("Account ID", attrs=SECONDARY)
    state = tables.Column("State", attrs=STATE)
    seen_iam_users = tables.Column("IAM users")
    read_at = tables.Column("Read", default="Never", attrs=SECONDARY)

    class Meta:
        model = Account
        fields = ("name", "account_id", "state", "seen_iam_users", "read_at")
        order_by = ("name",)
        empty_text = "No AWS account is connected"

    def render_state(self, record: Account) -> str:
        return render_to_string("accounts/_account_state.html", {"shown": states.of_account(record)})

    def render_account_id(self, value: str) -> str:
        return format_html('<span class="identifier">{}</span>', value)

    def render_read_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})


class DiscoveredAccountTable(PagedTable):
    """The accounts of an AWS organization; those that can be connected have a box to mark."""

    mark = tables.Column("", accessor="member_account_id", orderable=False, attrs=MARK)
    name = tables.Column("AWS account", attrs=PRIMARY)
    member_account_id = tables.Column("Account ID", attrs=SECONDARY)
    email = tables.Column("E-mail", attrs=SECONDARY)
    state = tables.Column("State", empty_values=(), orderable=False, attrs=STATE)

    class Meta:
        model = DiscoveredAccount
        fields = ("mark", "name", "member_account_id", "email", "state")
        order_by = ("name",)
        empty_text = "No account fits"

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._organization = organization

    @cached_property
    def _connected(self) -> dict[str, Account]:
        """Those of the rows on this page that are connected, wherever, in one query."""
        page = self.page.object_list.data if self.page else self.data
        rows = Account.objects.filter(account_id__in=[row.member_account_id for row in page])
        return {account.account_id: account for account in rows}

    def _own(self, record: DiscoveredAccount) -> Account | None:
        account = self._connected.get(record.member_account_id)
        return account if account is not None and account.organization_id == self._organization.pk else None

    def render_mark(self, record: DiscoveredAccount) -> str:
        if not record.is_active or record.member_account_id in self._connected:
            return ""
        box = '<input type="checkbox" name="accounts" value="{}" form="connect-accounts" aria-label="Choose {}">'
        return format_html(box, record.member_account_id, record)

    def render_name(self, record: DiscoveredAccount) -> str:
        own = self._own(record)
        if own is None:
            return record.name or record.member_account_id
        return format_html('<a href="{}">{}</a>', reverse("connection", args=[own.pk]), record.name or own.name)

    def render_member_account_id(self, value: str) -> str:
        return format_html('<span class="identifier">{}</span>', value)

    def render_state(self, record: DiscoveredAccount) -> str:
        account, own = self._connected.get(record.member_account_id), self._own(record)
        shown = states.of_discovered(record, account, is_own=own is not None)
        return badge(shown.words, shown.tone)
