"""The portal's own settings, with Django's own list of the same rows beside its pages, and a count of the queries."""

from portal.settings import *  # noqa: F403
from portal.settings import MIDDLEWARE

ROOT_URLCONF = "tests.benchmarks.million_urls"
MIDDLEWARE = ["tests.benchmarks.million_urls.CountQueries", *MIDDLEWARE]
