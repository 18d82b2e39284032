"""A small threaded HTTP server for the embedded AWS, on loopback only."""

import logging
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the path of a console sign-in holds its token."""


def make(app: "WSGIApplication", port: int) -> BaseWSGIServer:
    """A server that listens already; `serve_forever()` answers. Port 0 takes a free one.

    :raises OSError: when the port is taken.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server(LOOPBACK, port, app, threaded=True, request_handler=_Handler)
