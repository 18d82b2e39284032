"""`python -m tests.benchmarks.slow_aws --port N --latency-ms N …`: the embedded AWS at a distance.

The demo is in it, or one account with so many IAM users. It keeps no state on disk, waits before each answer as a
network would, without using the processor, and counts the calls by operation: `/bench/calls` tells them and begins
anew; `/bench/users?count=N` makes IAM users with a key each. With `--calls-per-second` it takes no more than so many of
IAM's, as AWS does, and counts the others as `Throttled`.
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

from portal.aws.simulator import answers, demo, hub, requests, serving
from portal.aws.simulator.app import create_app
from tests.benchmarks import keyed_users, large_account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLS, USERS = "/bench/calls", "/bench/users"
THROTTLING = answers.Refusal(400, "Throttling", "Rate exceeded")
# So many at once are taken before the rate holds.
BURST = 20.0


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.slow_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--users", type=int, default=0)
    parser.add_argument("--calls-per-second", type=float, default=0)
    given = parser.parse_args()
    app = create_app(None)
    hub.install_hub()
    if given.users:
        large_account.fill(given.users, at=utcnow())
    else:
        demo.load_demo(at=utcnow())
    serving.make(FarAway(app, given.latency_ms / 1000, given.calls_per_second), given.port).serve_forever()


class FarAway:
    """The same app, as many seconds away; of several calls at once each waits for itself."""

    def __init__(self, app: "WSGIApplication", seconds: float, calls_per_second: float = 0) -> None:
        self._app, self._seconds, self._rate = app, seconds, calls_per_second
        self._tokens, self._looked_at = BURST, time.monotonic()
        self._calls: Counter[str] = Counter()
        self._counting = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Count, wait, answer."""
        if environ.get("PATH_INFO") == CALLS:
            told = Response(json.dumps(self.take_calls()), mimetype="application/json")
            return told(environ, start_response)
        if environ.get("PATH_INFO") == USERS:
            count = int(environ.get("QUERY_STRING", "").removeprefix("count="))
            return Response(json.dumps(list(keyed_users.make(count))))(environ, start_response)
        request = requests.read(environ)
        is_throttled = request.service == "iam" and not self._takes()
        with self._counting:
            self._calls["Throttled" if is_throttled else request.operation] += 1
        time.sleep(self._seconds)
        if is_throttled:
            return answers.answer(request, THROTTLING)(environ, start_response)
        return self._app(environ, start_response)

    def _takes(self) -> bool:
        """Whether one more call of this second is taken: a bucket of tokens, as AWS has."""
        if not self._rate:
            return True
        with self._counting:
            now = time.monotonic()
            self._tokens = min(BURST, self._tokens + (now - self._looked_at) * self._rate)
            self._looked_at = now
            is_taken = self._tokens >= 1
            self._tokens -= is_taken
        return is_taken

    def take_calls(self) -> Counter[str]:
        """The calls since they were last taken, by operation."""
        with self._counting:
            calls, self._calls = self._calls, Counter()
        return calls


if __name__ == "__main__":
    main()
