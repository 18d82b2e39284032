"""The addresses of the product pages."""

from django.urls import path

from accounts.views import organization

urlpatterns = [
    path("organizations/<slug:slug>/switch/", organization.switch, name="switch_organization"),
]
