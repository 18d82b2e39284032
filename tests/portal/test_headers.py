"""What every answer carries, whoever asks and whatever they get (A29)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import Person

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'",
}  # fmt: skip

PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "k7#mZ" * 12 + "a1b2c3d4e5",
    "ALLOWED_HOSTS": "portal.example.org",
    "PORTAL_URL": "https://portal.example.org",
    "DATABASE_URL": "postgres://gatehouse@127.0.0.1:1/gatehouse",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "redis://127.0.0.1:1/1",
    "SEALING_KEYS": "v1:" + "A" * 43 + "=",
    "EMAIL_URL": "smtp://127.0.0.1:1",
}


def answers(client: Client) -> Iterator[Any]:
    yield client.get(reverse("home"))
    yield client.get(reverse("account_login"))
    yield client.post(reverse("account_login"), {"login": "nobody@acme.test", "password": "wrong"})
    yield client.get("/no-such-page/")
    yield client.get(reverse("admin:index"))
    yield client.get(reverse("health_live"))
    yield client.get("/static/css/tokens.css")
    yield client.get(reverse("home"), headers={"Host": "evil.example"})


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_every_answer_is_strict(olive: Person, is_signed_in: bool) -> None:
    client = Client()
    if is_signed_in:
        client.force_login(olive)

    for answer in answers(client):
        policy = {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}
        assert policy == POLICY, answer.request
        assert answer.headers["X-Frame-Options"] == "DENY", answer.request
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


def in_production(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python under production's settings."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"from portal import settings\n{code}"],
        env=bare | PRODUCTION | environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_production_is_secure() -> None:
    ran = in_production(
        "print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_NAME,"
        "settings.SECURE_HSTS_SECONDS >= 31536000, settings.SECURE_SSL_REDIRECT, settings.AWS_ENDPOINT_URL,"
        "settings.HUB_SECRET_ACCESS_KEY, settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN)"
    )

    assert ran.stdout.split() == ["__Host-session", "True", "__Host-csrf", "True", "True", "None", "None", "False"], (
        ran.stderr
    )


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "PORTAL_URL",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
        "CACHE_URL",
        "SEALING_KEYS",
        "EMAIL_URL",
    ],
)
def test_production_does_not_start_without_what_it_needs(name: str) -> None:
    ran = in_production("", **{name: ""})

    assert ran.returncode != 0
    assert f"Set {name}:" in ran.stderr


@pytest.mark.parametrize("keys", ["v1:short", "v1", "v1:" + "A" * 43 + "=,v1:" + "B" * 43 + "="])
def test_production_does_not_start_with_sealing_keys_that_seal_nothing(keys: str) -> None:
    ran = in_production("", SEALING_KEYS=keys)

    assert ran.returncode != 0
    assert "SEALING_KEYS" in ran.stderr


def test_passwords_are_hashed_with_argon2() -> None:
    ran = in_production("print(settings.PASSWORD_HASHERS)")

    assert ran.stdout.strip() == "['django.contrib.auth.hashers.Argon2PasswordHasher']"
