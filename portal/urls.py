"""The portal's addresses, by app."""

from django.contrib import admin
from django.urls import include, path

from portal import health, metrics

urlpatterns = [
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("", include("federation.urls")),
    path("", include("accounts.urls")),
]
