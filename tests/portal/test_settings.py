"""The settings: what a real installation must be told, and what is never weaker than it should be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import settings as settings_of_the_portal
from portal.conf import hub
from tests import services

REAL = {
    "DEBUG": "off",
    "SECRET_KEY": "of-a-test-and-of-nothing-else-0123456789-0123456789",
    "SEALING_KEYS": "v1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "PORTAL_URL": "https://gatehouse.example",
    "ALLOWED_HOSTS": "gatehouse.example",
    "DATABASE_URL": "postgres://gatehouse@127.0.0.1/gatehouse",
    "CELERY_BROKER_URL": "redis://127.0.0.1/0",
    "CACHE_URL": "redis://127.0.0.1/1",
    "EMAIL_URL": "smtp://127.0.0.1",
}
NEEDED = sorted(set(REAL) - {"DEBUG"})


def check(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Django's checks for deployment in that environment, and nothing else of ours in it."""
    env = {"PATH": os.environ["PATH"], "VAR_DIR": str(folder), **environment}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=services.ROOT, env=env, capture_output=True, text=True)


def test_a_real_installation_starts_without_a_warning(tmp_path: Path) -> None:
    run = check(REAL, tmp_path)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("name", NEEDED)
def test_a_real_installation_without_a_needed_setting_stops_with_its_name(tmp_path: Path, name: str) -> None:
    run = check({key: value for key, value in REAL.items() if key != name}, tmp_path)

    assert run.returncode == 1
    assert f"Set {name}: a real installation has no default for it." in run.stderr


def test_the_hubs_own_identity_in_aws_has_the_form_of_one(tmp_path: Path) -> None:
    good = check(REAL | {"HUB_PRINCIPAL_ARN": "arn:aws:iam::111122223333:role/gatehouse"}, tmp_path)
    bad = check(REAL | {"HUB_PRINCIPAL_ARN": "gatehouse"}, tmp_path)

    assert good.returncode == 0
    assert bad.returncode == 1
    assert "HUB_PRINCIPAL_ARN is the ARN of the portal's own role or user in AWS" in bad.stderr


@pytest.mark.parametrize(
    ("arn", "is_one"),
    [
        ("", True),
        ("arn:aws:iam::111122223333:root", True),
        ("arn:aws-cn:iam::111122223333:role/service/gatehouse", True),
        ("arn:aws:iam::111122223333:user/gatehouse-hub", True),
        ("arn:aws:sts::111122223333:assumed-role/gatehouse/i-0123", False),
        ("arn:aws:iam::111122223333:group/gatehouse", False),
        ("arn:aws:iam::1111:role/gatehouse", False),
        ("arn:evil:iam::111122223333:role/gatehouse", False),
        ("*", False),
    ],
)
def test_roles_trust_a_role_a_user_or_an_account(arn: str, is_one: bool) -> None:
    if is_one:
        assert hub.parse(arn) == arn
    else:
        with pytest.raises(ImproperlyConfigured):
            hub.parse(arn)


def test_passwords_are_kept_with_argon2() -> None:
    assert settings_of_the_portal.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
