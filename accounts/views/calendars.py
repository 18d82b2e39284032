"""The calendar of the access keys that are due: the page on which its address is made, and the calendar itself."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from icalendar import Alarm, Calendar, Event

from accounts.models import AccessKey, CalendarFeed
from accounts.usecases import calendar_feeds
from accounts.views.organization import PortalRequest, organization_of

REMIND_BEFORE = timedelta(days=1)


@require_http_methods(["GET", "POST"])
@never_cache
@reauthentication_required
def page(request: PortalRequest) -> HttpResponse:
    """Whether one has a calendar; its address is shown in the answer that makes it, and never again."""
    organization, address = organization_of(request), ""
    if request.method == "POST":
        token = calendar_feeds.make_feed(by=request.user, organization=organization, at=timezone.now())
        address = settings.PORTAL_URL + reverse("calendar", args=[token])
    feed = CalendarFeed.objects.visible_to(request.user).filter(organization=organization).first()
    return render(request, "accounts/calendar.html", {"feed": feed, "address": address})


@require_POST
def end(request: PortalRequest) -> HttpResponse:
    """End calendar address."""
    calendar_feeds.end_feed(by=request.user, organization=organization_of(request), at=timezone.now())
    return redirect("calendar_page")


@never_cache
@login_not_required
@require_GET
def calendar(_request: PortalRequest, token: str) -> HttpResponse:
    """What is due, for whoever has the address: a calendar program cannot sign in (RFC 5545)."""
    feed = calendar_feeds.feed_of(token=token)
    answer = HttpResponse(_calendar(feed).to_ical(), content_type="text/calendar; charset=utf-8")
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _calendar(feed: CalendarFeed) -> Calendar:
    told = Calendar()
    told.add("prodid", "-//Gatehouse//Access keys//EN")
    told.add("version", "2.0")
    told.add("x-wr-calname", f"Access keys in {feed.organization}")
    rule = timedelta(days=feed.organization.rotate_after_days)
    for access_key in calendar_feeds.keys_in(feed):
        told.add_component(_event(access_key, rule))
    return told


def _event(access_key: AccessKey, rule: timedelta) -> Event:
    """A whole day, on which the key is due; of the key its last four characters alone."""
    words = f"Rotate access key …{access_key.access_key_id[-4:]} of {access_key.iam_user} in {access_key.account}"
    event = Event()
    event.add("uid", f"access-key-{access_key.pk}@{settings.PORTAL_URL.split('://')[-1]}")
    event.add("dtstamp", timezone.now())
    event.add("dtstart", (access_key.create_date + rule).date())
    event.add("summary", words)
    event.add("url", settings.PORTAL_URL + reverse("my_access"))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", words)
    alarm.add("trigger", -REMIND_BEFORE)
    event.add_component(alarm)
    return event
