"""The addresses at which people sign in."""

from django.urls import include, path

urlpatterns = [
    path("auth/2fa/", include("allauth.mfa.urls")),
    path("auth/", include("allauth.account.urls")),
]
