"""Many access keys rotated at once: by a lead's bulk action on the key board, and by a bare pool of threads.

`rotate` presses the button and follows the page's progress as a browser would, until each new key is made and its
secret sealed. `rotate-pool` has ten threads of bare boto3 do what a script would: list, create, make inactive, delete.
"""

import http
import json
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import AccessKey, Account, BulkChange, Duty, Person, Rotation, Team
from portal.secrets.models import SealedSecret
from tests import factories
from tests.benchmarks.peers import enter
from tests.benchmarks.slow_aws import CALLS, USERS
from tests.benchmarks.stage import stage

THREADS = 10
# The first of each worker enters the account and builds its clients, which is not what is measured.
WARM_UP = 32
# As often as the page asks for its part.
LOOK_SECONDS = 2.0
POLL_SECONDS = 0.05
GIVE_UP_SECONDS = 600.0
ARRIVED = re.compile(r"(\d+) arrived")


def make(how: str, count: int) -> dict[str, float]:
    """Rotate them; the seconds and calls that it took, and of the page how often it told something new."""
    team, account = stage([])
    made = _asked(f"{USERS}?count={count + WARM_UP}")
    told = _pool(account, made[WARM_UP:]) if how == "rotate-pool" else _portal(team, account, made)
    calls = _asked(CALLS)
    return told | {"calls": sum(calls.values()) - calls.get("Throttled", 0), "throttled": calls.get("Throttled", 0)}


def _asked(path: str) -> Any:
    with urllib.request.urlopen(f"{settings.AWS_ENDPOINT_URL}{path}", timeout=60) as answer:
        return json.load(answer)


def _portal(team: Team, account: Account, made: list[dict[str, str]]) -> dict[str, float]:
    owner = factories.member("owner@bench.test", Duty.MEMBER, of=team.organization, team=team)
    for told in made:
        iam_user = factories.iam_user(account, told["user_name"], user_id=told["user_id"], team=team, owner=owner)
        factories.access_key(iam_user, access_key_id=told["access_key_id"])
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(Person.objects.get(membership__team=team, membership__duty=Duty.LEAD))
    keys = list(AccessKey.objects.order_by("pk").values_list("pk", flat=True))
    _rotate_by_bulk(browser, keys[:WARM_UP], count=WARM_UP)
    _asked(CALLS)
    return _rotate_by_bulk(browser, keys[WARM_UP:], count=len(made))


def _rotate_by_bulk(browser: Client, keys: list[int], *, count: int) -> dict[str, float]:
    """Press the button for these keys, and follow the page until so many in all are made."""
    start = time.perf_counter()
    answer = browser.post(reverse("start_key_change", args=["rotate-key"]), {"access_key": keys})
    assert answer.status_code == http.HTTPStatus.FOUND, answer.content
    page, seen, looked = reverse("bulk_change_progress", args=[BulkChange.objects.latest("pk").pk]), [0], start
    while Rotation.objects.filter(state=Rotation.State.MADE).count() < count:
        now = time.perf_counter()
        if now - start > GIVE_UP_SECONDS:
            raise TimeoutError(f"{Rotation.objects.filter(state=Rotation.State.MADE).count()} were made")
        if now - looked > LOOK_SECONDS:
            seen.append(_arrived(browser, page))
            looked = now
        time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - start
    _check(browser, page, len(keys), seen)
    change = BulkChange.objects.latest("pk")
    decided = (change.finished_at - change.created_at).total_seconds() if change.finished_at else 0
    return {"seconds": seconds, "decided": decided, "looks": len(seen) - 1, "news": len(set(seen)) - 1}


def _arrived(browser: Client, page: str) -> int:
    found = ARRIVED.search(browser.get(page).content.decode())
    return int(found[1]) if found else 0


def _check(browser: Client, page: str, count: int, seen: list[int]) -> None:
    """Each has its second key and a secret that waits, and the page said so on its way, never less than before."""
    made = Rotation.objects.filter(state=Rotation.State.MADE).count()
    assert SealedSecret.objects.filter(state="ready").count() == made
    assert seen == sorted(seen), seen
    end = time.perf_counter() + LOOK_SECONDS
    while _arrived(browser, page) != count:
        assert time.perf_counter() < end, "The page does not say that all arrived"


def _pool(account: Account, made: list[dict[str, str]]) -> dict[str, float]:
    iam = enter(account.role_arn, account.external_id).client("iam", endpoint_url=settings.AWS_ENDPOINT_URL)
    _asked(CALLS)
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_rotate, iam), [told["user_name"] for told in made]))
    return {"seconds": time.perf_counter() - start}


def _rotate(iam: Any, user_name: str) -> None:
    (old,) = iam.list_access_keys(UserName=user_name)["AccessKeyMetadata"]
    iam.create_access_key(UserName=user_name)
    iam.update_access_key(UserName=user_name, AccessKeyId=old["AccessKeyId"], Status="Inactive")
    iam.delete_access_key(UserName=user_name, AccessKeyId=old["AccessKeyId"])
