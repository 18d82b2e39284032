"""The console sign-in endpoint, which moto lacks: a token for temporary credentials, good once, and a page behind it.

IAM User Guide, "Enable custom identity broker access to the AWS console": getSigninToken takes temporary credentials
only and a SessionDuration of 900 to 43,200 seconds; the token is good for 15 minutes; login answers with a redirect.
"""

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from markupsafe import escape
from moto.core.utils import utcnow
from moto.sts.models import AssumedRole
from werkzeug.wrappers import Request, Response

from portal.aws.simulator import keys

SHORTEST_SECONDS, LONGEST_SECONDS = 900, 43_200
TOKEN_LASTS = timedelta(minutes=15)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>AWS console of {account}</title>
<h1>AWS console</h1><dl><dt>Account</dt><dd>{account}</dd><dt>Role</dt><dd>{role}</dd><dt>Session</dt><dd>{session}</dd>
<dt>Destination</dt><dd>{destination}</dd></dl><p>This is the embedded AWS of Gatehouse, not AWS.</p></html>"""


@dataclass(frozen=True)
class _SignIn:
    role: AssumedRole
    expires_at: datetime


class Console:
    """The endpoint; its tokens and sessions live as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, _SignIn] = {}
        self._pages: dict[str, str] = {}

    def answer(self, request: Request) -> Response:
        """Carry out one request to /federation or /console/."""
        if request.path.startswith("/console/"):
            return self._page(request.path.removeprefix("/console/"))
        actions = {"getSigninToken": self._token, "login": self._login}
        action = actions.get(request.values.get("Action", ""))
        return action(request.values) if action else _refused("Unknown Action.")

    def _token(self, values: Mapping[str, str]) -> Response:
        role = _session(values.get("Session", ""))
        if role is None:
            return _refused("Invalid Credentials Parameter.")
        if not _is_duration(values.get("SessionDuration", str(SHORTEST_SECONDS))):
            return _refused("Invalid SessionDuration Parameter.")
        token = secrets.token_urlsafe(64)
        with self._lock:
            self._tokens[token] = _SignIn(role, utcnow() + TOKEN_LASTS)
        return Response(json.dumps({"SigninToken": token}), content_type="application/json")

    def _login(self, values: Mapping[str, str]) -> Response:
        with self._lock:
            sign_in = self._tokens.pop(values.get("SigninToken", ""), None)
        if sign_in is None or sign_in.expires_at <= utcnow():
            return _refused("The sign-in token is unknown, used or expired.")
        page_id = secrets.token_urlsafe(16)
        self._pages[page_id] = _console_of(sign_in.role, values.get("Destination", ""))
        return Response(status=302, headers={"Location": f"/console/{page_id}", "Cache-Control": "no-store"})

    def _page(self, page_id: str) -> Response:
        page = self._pages.get(page_id)
        return Response(page, content_type="text/html; charset=utf-8") if page else Response("No session.", status=404)


def _session(text: str) -> AssumedRole | None:
    """The assumed role whose complete, living temporary credentials these are; long-term keys are nobody's."""
    try:
        given = json.loads(text)
        key_id, secret, token = (str(given[name]) for name in ("sessionId", "sessionKey", "sessionToken"))
    except (ValueError, KeyError, TypeError):
        return None
    found = keys.owner(key_id)
    role = keys.session_of(*found) if found else None
    if role is None or keys.refusal(key_id) or not compare_digest(secret, role.secret_access_key):
        return None
    return role if compare_digest(token, role.session_token) else None


def _is_duration(text: str) -> bool:
    return text.isdecimal() and SHORTEST_SECONDS <= int(text) <= LONGEST_SECONDS


def _console_of(role: AssumedRole, destination: str) -> str:
    facts = {
        "account": role.account_id,
        "role": role.role_arn,
        "session": role.session_name,
        "destination": destination,
    }
    return PAGE.format_map({name: escape(fact) for name, fact in facts.items()})


def _refused(message: str) -> Response:
    return Response(message, status=400, content_type="text/plain")
