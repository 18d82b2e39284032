"""`python -m tests.benchmarks.slow_aws --port N --latency-ms N`: the embedded AWS at a distance, with the demo in it.

It keeps no state on disk, and waits before each answer as a network would: without using the processor.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.utils import utcnow

from portal.aws.simulator import demo, hub, serving
from portal.aws.simulator.app import create_app


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.slow_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    given = parser.parse_args()
    app = create_app(None)
    hub.install_hub()
    demo.load_demo(at=utcnow())
    serving.make(far_away(app, given.latency_ms / 1000), given.port).serve_forever()


def far_away(app: Any, seconds: float) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """The same app, as many seconds away."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        time.sleep(seconds)
        body: Iterable[bytes] = app(environ, start_response)
        return body

    return answer


if __name__ == "__main__":
    main()
