"""The WSGI app of the embedded AWS: moto's, behind the checks of keys, with the console and its state in a file."""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.model import OperationNotFoundError
from moto.core.utils import utcnow
from moto.iam import models as iam_models
from moto.iam import urls as iam_urls
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.organizations import urls as organizations_urls
from moto.secretsmanager import urls as secretsmanager_urls
from moto.sts import urls as sts_urls
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from portal.aws.simulator import demo, keys, requests, roles, signatures, signers, state
from portal.aws.simulator.answers import Refusal, RefusedByAWS, answer
from portal.aws.simulator.console import Console
from portal.aws.simulator.hub import install_hub
from portal.aws.simulator.iam import IAM
from portal.aws.simulator.organizations import Organizations
from portal.aws.simulator.requests import AWSRequest
from portal.aws.simulator.secretsmanager import SecretsManager
from portal.aws.simulator.sts import STS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

MISSING = "The embedded AWS cannot do {} yet."


class Simulator:
    """AWS as far as the portal needs it; one process, since moto keeps everything in memory."""

    def __init__(self, path: Path | None) -> None:
        _make_strict()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._path = path
        self._console = Console()
        # Moto is not made for threads that change the same account; one request at a time costs nothing under the GIL.
        self._turn = threading.RLock()
        if path is not None and path.exists():
            state.load(path)
        install_hub()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/gatehouse/"):
            return self._own(Request(environ))(environ, start_response)
        if path.startswith(("/federation", "/console/")):
            return self._console.answer(Request(environ))(environ, start_response)
        request = requests.read(environ)
        refusal = keys.refusal(request.access_key_id, request.operation) or signers.refusal(request, environ)
        if refusal is not None:
            return answer(request, refusal)(environ, start_response)
        if request.signature is not None:
            environ["HTTP_AUTHORIZATION"] = signatures.in_header(request.signature)
        return self._carry(request, environ)(environ, start_response)

    def _carry(self, request: AWSRequest, environ: "WSGIEnvironment") -> Response:
        """Let moto do it, and write down what changed before anybody hears of it."""
        with self._turn:
            try:
                body, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
            except RefusedByAWS as refused:
                return answer(request, refused.refusal)
            except NotImplementedError:
                return answer(request, Refusal(501, "NotImplemented", MISSING.format(request.operation)))
            except OperationNotFoundError:
                return answer(request, Refusal(400, "InvalidAction", f"There is no operation {request.operation}."))
            if request.is_change:
                self._save()
        return Response(body, status=status, headers=headers)

    def _own(self, request: Request) -> Response:
        if request.path == "/gatehouse/health":
            return Response("ok")
        if request.method == "POST" and request.path == "/gatehouse/demo":
            return self._changed(lambda: demo.load_demo(at=utcnow()))
        # JSON alone: a page of another site can have a browser send a form here, and no more than that.
        if request.method == "POST" and request.path == "/gatehouse/role" and request.is_json:
            return self._changed(lambda: roles.put_role(**request.get_json()))
        return Response("There is no such page.", status=404)

    def _changed(self, change: Callable[[], None]) -> Response:
        with self._turn:
            change()
            self._save()
        return Response("ok")

    def _save(self) -> None:
        if self._path is not None:
            state.save(self._path)


def _make_strict() -> None:
    """Put our services where moto looks for its own, and its clock to whole seconds, as AWS's dates are."""
    iam_urls.url_paths, sts_urls.url_paths = {"{0}/$": IAM.dispatch}, {"{0}/$": STS.dispatch}
    organizations_urls.url_paths = {"{0}/$": Organizations.dispatch}
    secretsmanager_urls.url_paths = {"{0}/$": SecretsManager.dispatch}
    vars(iam_models)["utcnow"] = lambda: utcnow().replace(microsecond=0)


def create_app(path: Path | None) -> "WSGIApplication":
    """The embedded AWS with its state in the file at `path`, or in memory alone."""
    return Simulator(path)
