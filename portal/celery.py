"""Celery's door into Gatehouse: a doorbell, never a record of what must be done."""

import os

from celery import Celery

from portal import heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
heartbeat.connect()
