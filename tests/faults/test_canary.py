"""Whole rotations by real processes at their loudest, failures included: the secrets are in the one reveal (A08)."""

import base64
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from celery import current_app
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from kombu import Connection

from accounts.models import AccessKey, Account, IAMUser, Person, Rotation, Team
from accounts.usecases import console_access, first_keys, own_secrets, rotation, sealed_secrets
from portal.ledger import doorbell
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories, services
from tests.accounts.carrying import age
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.faults import canary
from tests.faults.canary import MARK
from tests.portal.secrets.browsers import Browser

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

PATIENCE_SECONDS = 60.0
PAGES = (
    "/", "/team/", "/ledger/", "/deliveries/", "/people/", "/admin/secrets/sealedsecret/", "/admin/ledger/entry/",
    "/admin/ledger/delivery/", "/admin/accounts/accesskey/", "/admin/accounts/rotation/",
)  # fmt: skip


@dataclass
class House:
    """The portal's processes on a broker of their own, and what was told by them."""

    folder: Path
    url: str
    broker: services.Server
    broker_url: str
    processes: list[Any]
    told: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, task: str, *args: object, queue: str = "interactive") -> None:
        """Give a worker something to do."""
        with Connection(self.broker_url) as there:
            current_app.send_task(task, args=args, queue=queue, connection=there, ignore_result=True)

    def ring(self, deliveries: Any) -> None:
        """The doorbell, at this house."""
        for delivery in deliveries:
            self.send(doorbell.DELIVER, delivery.pk, queue=delivery.queue)

    def carry_all(self) -> None:
        """Let the workers carry what there is, without the waiting between two attempts."""
        end = time.monotonic() + PATIENCE_SECONDS
        while Delivery.objects.filter(state__in=["due", "calling", "waiting"]).exists():
            assert time.monotonic() < end, list(Delivery.objects.values("state", "error"))
            Delivery.objects.filter(state="waiting").update(not_before=database_now())
            self.send("portal.ledger.tasks.sweep")
            time.sleep(0.3)

    def get(self, address: str, by: Person) -> str:
        """A page, as the person's browser gets it; it is kept to be looked through."""
        answer = requests.get(self.url + address, cookies=_signed_in(by), timeout=30)
        assert answer.status_code == 200, address
        self.told.append((f"page {address}", answer.content + str(answer.headers).encode()))
        return answer.text

    def open(self, sealed: SealedSecret, by: Person) -> requests.Response:
        """Show secret, as the page's script asks for it."""
        with requests.Session() as browser:
            browser.cookies.update(_signed_in(by))
            page = browser.get(f"{self.url}/secrets/{sealed.pk}/", timeout=30)
            self.told.append(("page of a secret", page.content))
            token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[0]
            return browser.post(f"{self.url}/secrets/{sealed.pk}/open/", headers={"X-CSRFToken": token}, timeout=30)


def _signed_in(person: Person) -> dict[str, str]:
    client = Client()
    client.force_login(person)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


@pytest.fixture(params=["Redis", "Valkey"])
def house(request: pytest.FixtureRequest, aws: AWS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Web server and worker, with every logger at DEBUG."""
    redis_server = shutil.which("redis-server")
    if request.param == "Redis" and redis_server is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    broker = services.start_valkey(tmp_path / "broker", redis_server if request.param == "Redis" else None)
    port = services.free_port()
    broker_url = f"{broker.url.replace('unix', 'redis+socket', 1)}?virtual_host=0"
    env = services.environment(
        connection,
        **aws.environment,
        DJANGO_SETTINGS_MODULE="tests.loud_settings",
        CELERY_BROKER_URL=broker_url,
        CACHE_URL=f"{broker.url}?db=1",
        PORTAL_URL=f"http://localhost:{port}",
        EMAIL_URL=f"filemail:///{tmp_path / 'mail'}",
    )
    processes = [
        services.start_web(env, port, tmp_path / "web.log"),
        services.start_worker(env, tmp_path / "worker.log"),
    ]
    built = House(tmp_path, f"http://localhost:{port}", broker, broker_url, processes)
    monkeypatch.setattr(doorbell.doorbell, "ring", built.ring)
    canary.mark_new_keys(monkeypatch)
    yield built
    for process in processes:
        services.stop(process)
    broker.stop()


@pytest.fixture
def make(aws: AWS, prod: Account, payments: Team, mia: Person) -> Callable[[str], IAMUser]:
    """An application's IAM user in AWS and here, owned by Mia."""

    def made(name: str) -> IAMUser:
        user = aws.boto3(prod.account_id).create_user(UserName=name)["User"]
        age(aws, prod, name)
        return factories.iam_user(
            prod, name, team=payments, owner=mia, kind="application", user_id=user["UserId"],
            create_date=user["CreateDate"] - timedelta(hours=1),
        )  # fmt: skip

    return made


def with_a_key(aws: AWS, iam_user: IAMUser) -> AccessKey:
    """Its one key, made long ago by somebody else."""
    made = aws.boto3(iam_user.account.account_id).create_access_key(UserName=iam_user.user_name)["AccessKey"]
    return factories.access_key(iam_user, access_key_id=made["AccessKeyId"])


def waiting_for(iam_user: IAMUser) -> SealedSecret:
    return SealedSecret.objects.ready().get(bound_to__contains=f"/{iam_user.pk}/")


def everywhere(house: House, aws: AWS, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, bytes]]:
    """All that the portal keeps and says."""
    yield from canary.in_rows()
    yield from canary.in_the_database(house.folder)
    yield from canary.in_redis(house.broker, house.folder / "broker")
    yield from canary.in_processes(*house.processes)
    yield from canary.in_files("log", house.folder / "web.log", house.folder / "worker.log")
    yield from canary.in_files("mail", *(house.folder / "mail").glob("*"))
    yield from canary.in_files("static", *settings.STATIC_ROOT.rglob("*"), *(services.ROOT / "static").rglob("*"))
    yield "log of this process", caplog.text.encode()
    yield from house.told


def rotate(house: House, aws: AWS, iam_user: IAMUser, mia: Person, fault: Fault | None) -> None:
    """From the first step to the last, with the secret asked for twice."""
    rotation.start_rotation(by=mia, access_key=with_a_key(aws, iam_user), at=database_now())
    if fault is not None:
        aws.faults.inject("CreateAccessKey", fault)
    house.carry_all()
    sealed = waiting_for(iam_user)
    house.get("/", mia)
    revealed = house.open(sealed, mia)
    assert (revealed.status_code, MARK in revealed.text) == (200, True)
    assert house.open(sealed, mia).status_code == 410
    step = Rotation.objects.get(iam_user=iam_user)
    rotation.make_old_key_inactive(by=mia, rotation=step, at=database_now(), reason="It is installed")
    house.carry_all()
    step.refresh_from_db()
    rotation.delete_old_key(by=mia, rotation=step, at=database_now(), reason="Nothing misses it")
    house.carry_all()


@pytest.mark.usefixtures("envelope")
def test_a_mark_stands_in_the_one_reveal_alone(
    house: House, aws: AWS, make: Callable[[str], IAMUser], mia: Person, lena: Person, olive: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    faults = {"plain": None, "lost": Fault.DROP_AFTER, "broken": Fault.ERROR_AFTER}
    for name, fault in faults.items():
        rotate(house, aws, make(name), mia, fault)
    _refused(house, aws, make("refused"), mia)
    _handed_over(house, make("handed-over"), olive, mia, lena)
    _sealed_to_a_browser(house, aws, make("browser"), mia)
    _not_opened(house, make("missed"), olive)
    password = _with_a_password(house, aws, make("password"), olive, mia)
    _walk(house, olive, mia)

    assert Rotation.objects.filter(state="done").count() == len(faults)
    assert list((house.folder / "mail").glob("*"))
    assert all(b" DEBUG " in (house.folder / f"{name}.log").read_bytes() for name in ("web", "worker"))
    assert canary.places_with([MARK, password], everywhere(house, aws, caplog)) == []


def _refused(house: House, aws: AWS, iam_user: IAMUser, mia: Person) -> None:
    rotation.start_rotation(by=mia, access_key=with_a_key(aws, iam_user), at=database_now())
    aws.faults.inject("CreateAccessKey", Fault.DENY)
    house.carry_all()
    assert Delivery.objects.filter(state="stuck").exists()


def _handed_over(house: House, iam_user: IAMUser, olive: Person, mia: Person, lena: Person) -> None:
    first_keys.create_access_key(by=olive, iam_user=iam_user, at=database_now())
    house.carry_all()
    sealed = waiting_for(iam_user)
    handed = own_secrets.hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=database_now())
    house.send(own_secrets.TELL_HANDED_OVER, str(Entry.objects.latest("at").pk))
    assert MARK in house.open(handed, lena).text
    assert house.open(handed, lena).status_code == 410


def _sealed_to_a_browser(house: House, aws: AWS, iam_user: IAMUser, mia: Person) -> None:
    browser = Browser()
    rotation.start_rotation(by=mia, access_key=with_a_key(aws, iam_user), at=database_now(), browser_key=browser.public)
    house.carry_all()
    sealed = waiting_for(iam_user)
    assert MARK not in house.open(sealed, mia).text


def _not_opened(house: House, iam_user: IAMUser, olive: Person) -> None:
    first_keys.create_access_key(by=olive, iam_user=iam_user, at=database_now())
    house.carry_all()
    waiting_for(iam_user)
    sealed_secrets.expire_sealed_secrets(by=None, at=timezone.now() + timedelta(hours=25))
    house.carry_all()


def _with_a_password(house: House, aws: AWS, iam_user: IAMUser, olive: Person, mia: Person) -> str:
    console_access.create_login_profile(by=olive, iam_user=iam_user, at=database_now())
    house.carry_all()
    password = str(aws.backend(iam_user.account.account_id).users["password"].password)
    assert house.open(waiting_for(iam_user), mia).json() == {"secret": password}
    return password


def _walk(house: House, olive: Person, mia: Person) -> None:
    """The pages on which something of it might stand."""
    rows = [f"/team/iam-users/{iam_user.pk}/" for iam_user in IAMUser.objects.all()]
    rows += [f"/ledger/{entry.pk}/" for entry in Entry.objects.all()]
    rows += [f"/deliveries/{delivery.pk}/" for delivery in Delivery.objects.all()]
    for address in (*PAGES, *rows):
        house.get(address, olive)
    for sealed in SealedSecret.objects.filter(recipient=mia):
        house.get(f"/secrets/{sealed.pk}/", mia)


# That it would be found


def test_what_is_in_a_row_is_found_there_and_in_the_dump(mia: Person, tmp_path: Path) -> None:
    Person.objects.filter(pk=mia.pk).update(name=f"Mia {MARK}x")

    assert "table accounts_person" in canary.places_with([MARK], canary.in_rows())
    assert canary.places_with([MARK], canary.in_the_database(tmp_path))


@pytest.mark.parametrize("plant", ["set", "lpush", "hset"])
def test_what_is_in_the_broker_is_found(tmp_path: Path, plant: str) -> None:
    server = services.start_valkey(tmp_path / "broker")
    message = base64.b64encode(f'[["{MARK}x"], {{}}]'.encode())
    with redis.Redis.from_url(f"{server.url}?db=7") as client:
        getattr(client, plant)("message", *(["body", message] if plant == "hset" else [message]))

    places = canary.places_with([MARK], canary.in_redis(server, tmp_path / "broker"))
    server.stop()

    assert "redis b'message'" in places
    assert any(place.endswith((".aof", "dump.rdb")) for place in places)


@pytest.mark.parametrize("shift", range(6))
def test_it_is_found_in_base64_at_every_place(shift: int) -> None:
    letters = base64.b64encode(b"x" * shift + f"{MARK}tail".encode() + b"y" * 9)

    assert canary.places_with([MARK], iter([("body", letters)])) == ["body"]


def test_what_is_in_an_environment_is_found(tmp_path: Path) -> None:
    process = services.start(["sleep", "30"], log=tmp_path / "log", env={"SECRET": f"{MARK}x"})

    with services.running(process):
        assert canary.places_with([MARK], canary.in_processes(process)) == [f"environ of {process.pid}"]
