"""`python -m tests.benchmarks.replay_aws --port N --users N`: as many AWS accounts as one likes, from recorded pages.

The embedded AWS, with the large account in it, is asked once for each answer; every account gets the same bytes with
its own number in them. So what is measured is the portal and its database, and not the embedded AWS.
"""

import argparse
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from moto.core.utils import utcnow
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from portal.aws.simulator import hub, requests, serving, signers
from portal.aws.simulator.app import create_app
from portal.aws.simulator.requests import READING, AWSRequest
from tests.benchmarks import large_account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RECORDED = large_account.ACCOUNT.account_id
ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/")
# A session's key tells the account that was meant: AWS's own keys are as long, and random.
KEY = re.compile(r"ASIA(\d{12})0000")
MADE = re.compile(rb"<AccessKeyId>(ASIA\w+)</AccessKeyId>")
# The body, the status and the type of what is in it.
Answer = tuple[bytes, str, str]


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.replay_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--users", type=int, required=True)
    given = parser.parse_args()
    app = create_app(None)
    hub.install_hub()
    large_account.fill(given.users, at=utcnow())
    serving.make(Replay(app), given.port).serve_forever()


class Replay:
    """An app with one account in it becomes one with every account that somebody enters."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._recorded: dict[tuple[tuple[str, str], ...], Answer] = {}
        self._key = ""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer from what was recorded, else ask for it."""
        request = requests.read(environ)
        role, key = ROLE.match(request.parameters.get("RoleArn", "")), KEY.fullmatch(request.access_key_id)
        account_id = role[1] if role else key[1] if key else RECORDED
        body, status, kind = self._entered(environ, account_id) if role else self._answered(environ, request)
        told = body.replace(RECORDED.encode(), account_id.encode())
        return Response(told, status=status, content_type=kind)(environ, start_response)

    def _entered(self, environ: "WSGIEnvironment", account_id: str) -> Answer:
        """Enter the recorded account in the place of the other one."""
        asked = cast("io.BytesIO", environ["wsgi.input"]).getvalue()
        environ["wsgi.input"] = io.BytesIO(asked.replace(account_id.encode(), RECORDED.encode()))
        body, status, kind = self._asked(environ)
        made = MADE.search(body)
        assert made, body
        self._key = made[1].decode()
        return body.replace(made[1], f"ASIA{account_id}0000".encode()), status, kind

    def _answered(self, environ: "WSGIEnvironment", request: AWSRequest) -> Answer:
        environ["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"].replace(request.access_key_id, self._key)
        if not request.operation.startswith(READING):
            return self._asked(environ)
        asked = tuple(sorted(request.parameters.items()))
        if asked not in self._recorded:
            self._recorded[asked] = self._asked(environ)
        return self._recorded[asked]

    def _asked(self, environ: "WSGIEnvironment") -> Answer:
        environ[signers.BELIEVED] = True
        body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return b"".join(body), status, headers["Content-Type"]


if __name__ == "__main__":
    main()
