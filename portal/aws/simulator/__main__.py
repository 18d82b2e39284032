"""`python -m portal.aws.simulator --port N --state FILE [--demo]`: serve the embedded AWS until SIGTERM."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from moto.core.utils import utcnow

from portal.aws.simulator import demo, serving, state
from portal.aws.simulator.app import create_app

logger = logging.getLogger(__name__)


def main() -> None:
    """Serve; the demo is loaded where the state's file is not there yet."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    is_new = not arguments.state.exists()
    app = create_app(arguments.state)
    if arguments.demo and is_new:
        demo.load_demo(at=utcnow())
        state.save(arguments.state)
    server = serving.make(app, arguments.port)
    logger.info("The embedded AWS listens on http://%s:%s", serving.LOOPBACK, server.port)
    server.serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portal.aws.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="the port on loopback")
    parser.add_argument("--state", type=Path, required=True, help="the file that keeps what it holds")
    parser.add_argument("--demo", action="store_true", help="load the demo where there is no state yet")
    return parser.parse_args()


if __name__ == "__main__":
    main()
