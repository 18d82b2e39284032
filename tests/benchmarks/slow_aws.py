"""`python -m tests.benchmarks.slow_aws --port N --latency-ms N [--users N]`: the embedded AWS at a distance.

The demo is in it, or one account with so many IAM users. It keeps no state on disk, waits before each answer as a
network would, without using the processor, and counts the calls by operation: `/bench/calls` tells them and begins
anew.
"""

import argparse
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from moto.core.utils import utcnow
from werkzeug.wrappers import Response

from portal.aws.simulator import demo, hub, requests, serving
from portal.aws.simulator.app import create_app
from tests.benchmarks import large_account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLS = "/bench/calls"


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.slow_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--users", type=int, default=0)
    given = parser.parse_args()
    app = create_app(None)
    hub.install_hub()
    if given.users:
        large_account.fill(given.users, at=utcnow())
    else:
        demo.load_demo(at=utcnow())
    serving.make(FarAway(app, given.latency_ms / 1000), given.port).serve_forever()


class FarAway:
    """The same app, as many seconds away; of several calls at once each waits for itself."""

    def __init__(self, app: "WSGIApplication", seconds: float) -> None:
        self._app, self._seconds = app, seconds
        self._calls: Counter[str] = Counter()
        self._counting = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Count, wait, answer."""
        if environ.get("PATH_INFO") == CALLS:
            told = Response(json.dumps(self.take_calls()), mimetype="application/json")
            return told(environ, start_response)
        operation = requests.read(environ).operation
        with self._counting:
            self._calls[operation] += 1
        time.sleep(self._seconds)
        return self._app(environ, start_response)

    def take_calls(self) -> Counter[str]:
        """The calls since they were last taken, by operation."""
        with self._counting:
            calls, self._calls = self._calls, Counter()
        return calls


if __name__ == "__main__":
    main()
