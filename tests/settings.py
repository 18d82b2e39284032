"""The settings of the tests: the portal's own, and where they differ."""

import os
from pathlib import Path

# Without pytest, mypy and Django's commands read these settings too; what they make must not land in the demo's folder.
os.environ.setdefault("VAR_DIR", str(Path(__file__).resolve().parent.parent / "var" / "tests"))

from portal.settings import *  # noqa: F403
from portal.settings import CACHES, DATABASES, STATIC_ROOT, VAR_DIR

# Nothing is collected here, but whitenoise wants the folder.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Each of Django's test clients would list all static files anew, a fifth of the time of a page's test.
WHITENOISE_AUTOREFRESH = True

# Threads and live servers need a file: a database in memory is one connection's own.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"

# Each of pytest's workers has a cache and a broker of its own: the workers are gw0, gw1, …
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
if "GATEHOUSE_TEST_CACHE" in os.environ:
    ADDRESS = os.environ["GATEHOUSE_TEST_CACHE"]
    CACHES["default"]["LOCATION"] = f"{ADDRESS}?db={2 * WORKER + 1}"
    CELERY_BROKER_URL = f"{ADDRESS.replace('unix', 'redis+socket', 1)}?virtual_host={2 * WORKER}"

# Argon2 takes a fifth of a second for each sign-in, on purpose; one test of the settings holds it for the portal.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Nothing here is slowed down but by the tests of the pace, which set their own.
AWS_CALLS_PER_SECOND = 10_000.0
AWS_CALLS_BURST = 10_000
