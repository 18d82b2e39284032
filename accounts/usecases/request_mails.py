"""The mails about requests: to those who may decide while one waits, and to who asked once it is decided."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import requestable
from accounts.models import Membership, Person, Request


def tell_of_request(*, request_id: int) -> int:
    """Send the mail that its state calls for; the number of mails. Of one that is not there or withdrawn, none."""
    request = Request.objects.select_related("organization", "made_by").filter(pk=request_id).first()
    if request is None or request.state == Request.State.WITHDRAWN:
        return 0
    people = _approvers(request) if request.is_open else [request.made_by]
    for person in people:
        _send(request, person)
    return len(people)


def _approvers(request: Request) -> list[Person]:
    duties = Membership.objects.active().in_organization(request.organization)
    approving = duties.filter(duty__in=requestable.of(request).approvers, created_at__lte=request.made_at)
    people = Person.objects.filter(pk__in=approving.values("person")).exclude(pk=request.made_by_id)
    return list(people.order_by("pk"))


def _send(request: Request, person: Person) -> None:
    what = requestable.of(request).words(request)
    about = "Decide" if request.is_open else request.get_state_display()
    context = {
        "request": request,
        "what": what,
        "person": person,
        "address": f"{settings.PORTAL_URL}{reverse('request', args=[request.pk])}",
    }
    text = render_to_string("accounts/mails/request.txt", context)
    # One line: a subject with a line break would be refused by Django, and a mail by its server.
    subject = " ".join(f"{about}: {what}".split())
    send_mail(subject, text, None, [person.email])
