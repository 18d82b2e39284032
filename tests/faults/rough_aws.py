"""The AWS of the long fault run: it throttles, breaks and hangs up at random, and counts what it really made."""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from accounts import arns
from portal.aws.simulator import demo, requests, serving
from portal.aws.simulator.app import create_app
from portal.aws.simulator.hub import PARTITION
from portal.aws.simulator.requests import AWSRequest
from tests.aws.strict import Fault, Faults, Strict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BROKEN_SHARE = 0.05
WHAT_BREAKS = (
    Fault.THROTTLE,
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.TRUNCATE,
)


class Weather(Faults):
    """Faults by chance, as long as it is rough; the same seed rolls the same dice."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.is_rough = False
        self.broken: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._rolling = threading.Lock()

    def next_for(self, operation: str) -> Fault | None:
        """What befalls this call."""
        if not self.is_rough:
            return None
        with self._rolling:
            if self._dice.random() >= BROKEN_SHARE:
                return None
            fault = self._dice.choice(WHAT_BREAKS)
            self.broken[fault] += 1
            return fault


class Witness:
    """WSGI middleware behind the faults: how often AWS made a user for each entry, whatever it answered."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self.made: Counter[str] = Counter()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, and count."""
        request = requests.read(environ)
        if request.operation != "CreateUser":
            return self._app(environ, start_response)
        body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        if status.startswith("200"):
            self.made[_entry_of(request)] += 1
        return Response(b"".join(body), status, headers)(environ, start_response)


@dataclass(frozen=True)
class Told:
    """One secret as its recipient has it: that of the access key `id`; a password has none."""

    account_id: str
    user_name: str
    id: str
    secret: str


@dataclass(frozen=True)
class RoughAWS:
    """The running server."""

    url: str
    weather: Weather
    witness: Witness


@contextmanager
def running(seed: int) -> Iterator[RoughAWS]:
    """Serve the demo's accounts from threads of this process; calm until the weather is made rough."""
    witness, weather = Witness(create_app(None)), Weather(seed)
    demo.load_demo(at=utcnow())
    layer = Strict(witness)
    layer.faults = weather
    server = serving.make(layer, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield RoughAWS(f"http://{serving.LOOPBACK}:{server.port}", weather, witness)
    finally:
        server.shutdown()


def wrong_secrets(told: Iterable[Told]) -> Iterator[str]:
    """Those with which AWS would let nobody in."""
    for one in told:
        user = iam_backends[one.account_id][PARTITION].users[one.user_name]
        right = {key.access_key_id: key.secret_access_key for key in user.access_keys} | {"": user.password}
        if right.get(one.id) != one.secret:
            yield f"what was told of {one.user_name} {one.id or 'for the console'} opens nothing"


def _entry_of(request: AWSRequest) -> str:
    named = (name for name, value in request.parameters.items() if value == arns.ENTRY_TAG and name.endswith(".Key"))
    return next((request.parameters[name.removesuffix("Key") + "Value"] for name in named), "")
