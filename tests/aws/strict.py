"""A layer in front of the embedded AWS that loses, delays and refuses on demand, and writes down what was asked."""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from portal.aws.simulator import keys, requests
from portal.aws.simulator.answers import Refusal, answer
from portal.aws.simulator.requests import AWSRequest
from tests.aws.lag import Lag

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SECRET = ("password", "secret", "token", "code", "session")
LONGEST_HANG_SECONDS = 60
# More than one reading of a user takes, fewer than two attempts at anything.
LAGGING_READS = 4
OUTSIDE = "outside"


class Fault(StrEnum):
    """What goes wrong with one call; `…_AFTER` means that AWS did it all the same."""

    DROP_BEFORE = "drop before"
    DROP_AFTER = "drop after"
    ERROR_BEFORE = "error before"
    ERROR_AFTER = "error after"
    TRUNCATE = "truncate"
    THROTTLE = "throttle"
    DENY = "deny"
    ABSENT = "absent"
    BUSY = "busy"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    REPORT_LIMIT = "report limit"
    # The call goes well; the next reads do not see what it did.
    READ_LAG = "read lag"


REFUSALS = {
    Fault.ERROR_BEFORE: Refusal(500, "ServiceFailure", "The request processing has failed."),
    Fault.ERROR_AFTER: Refusal(500, "ServiceFailure", "The request processing has failed."),
    Fault.THROTTLE: Refusal(400, "Throttling", "Rate exceeded"),
    Fault.DENY: Refusal(403, "AccessDenied", "User is not authorized to perform this."),
    Fault.ABSENT: Refusal(404, "NoSuchEntity", "It cannot be found."),
    Fault.BUSY: Refusal(409, "EntityTemporarilyUnmodifiable", "Login Profile cannot be modified now."),
    Fault.EXPIRED: Refusal(403, "ExpiredToken", "The security token included in the request is expired"),
    Fault.REPORT_LIMIT: Refusal(
        409, "ReportGenerationLimitExceeded", "Credential report generation rate limit exceeded."
    ),
    Fault.UNKNOWN: Refusal(409, "NobodyForesawThis", "Something new."),
}
DONE_BEFORE_THE_FAULT = (Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE)


@dataclass(frozen=True)
class Call:
    """One call that arrived, without secrets; `account_id` is that of the key which signed it."""

    operation: str
    parameters: Mapping[str, str]
    account_id: str


@dataclass
class Hang:
    """A call that AWS does not begin until it is released; `reached` is set when it has arrived."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let AWS carry it out now."""
        self.released.set()


@dataclass
class _Plan:
    operation: str
    what: Fault | Hang
    waits_for: int
    times: int

    def take(self) -> Fault | Hang | None:
        self.waits_for -= 1
        if self.waits_for >= 0 or self.times <= 0:
            return None
        self.times -= 1
        return self.what


class Faults:
    """What shall go wrong, per operation and count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: list[_Plan] = []
        self.lag: Lag | None = None

    def inject(self, operation: str, fault: Fault, *, nth: int = 1, times: int = 1) -> None:
        """Break the `nth` call of this operation from now on, and the ones that follow until `times` were broken."""
        self._plan(_Plan(operation, fault, nth - 1, times))

    def hang(self, operation: str, *, nth: int = 1) -> Hang:
        """Hold the `nth` call of this operation from now on."""
        hang = Hang()
        self._plan(_Plan(operation, hang, nth - 1, 1))
        return hang

    def next_for(self, operation: str) -> Fault | Hang | None:
        """What befalls this call."""
        with self._lock:
            found = [plan.take() for plan in self._plans if plan.operation == operation]
        return next((what for what in found if what is not None), None)

    def lag_for(self, request: AWSRequest, call: Call) -> Lag | None:
        """The past that this call sees, if it is a read of an account whose reads are behind."""
        lag = self.lag
        is_behind = lag is not None and lag.reads > 0 and lag.account_id == call.account_id
        return lag if is_behind and is_of_iam(request) and not request.is_change else None

    def clear(self) -> None:
        """Break nothing any more, and release what hangs."""
        self.lag = None
        with self._lock:
            plans, self._plans = self._plans, []
        for plan in plans:
            if isinstance(plan.what, Hang):
                plan.what.release()

    def _plan(self, plan: _Plan) -> None:
        with self._lock:
            self._plans.append(plan)


class Strict:
    """WSGI middleware; `trace` holds every call of the portal, not those that look from outside.

    `watch` is told of each call when it arrives, before AWS has done anything.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self.faults = Faults()
        self.trace: list[Call] = []
        self.watch: Callable[[Call], None] | None = None
        # One request at a time, as in the embedded AWS itself: a lagging read must not be anybody else's.
        self._turn = threading.RLock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, or break as planned."""
        request = requests.read(environ)
        if not request.operation or is_outside(request.access_key_id):
            return self._carry(environ, start_response)
        call = _call(request)
        self.trace.append(call)
        if self.watch is not None:
            self.watch(call)
        fault = self._befalls(request, call)
        if fault is None:
            return self._carry(environ, start_response, lag=self.faults.lag_for(request, call))
        return self._broken(fault, request, environ)(environ, start_response)

    def _befalls(self, request: AWSRequest, call: Call) -> Fault | None:
        """The fault that breaks this call's answer, after what only holds it up or hides what it does."""
        fault = self.faults.next_for(request.operation)
        if isinstance(fault, Hang):
            fault.reached.set()
            fault.released.wait(LONGEST_HANG_SECONDS)
            return None
        if fault is Fault.READ_LAG:
            self.faults.lag = Lag.now(call.account_id, reads=LAGGING_READS) if is_of_iam(request) else None
            return None
        return fault

    def _carry(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", lag: Lag | None = None
    ) -> Iterable[bytes]:
        with self._turn:
            past: AbstractContextManager[None] = nullcontext() if lag is None else lag.around()
            with past:
                return self._app(environ, start_response)

    def _broken(self, fault: Fault, request: AWSRequest, environ: "WSGIEnvironment") -> "WSGIApplication":
        body = b""
        if fault in DONE_BEFORE_THE_FAULT:
            body = b"".join(run_wsgi_app(self._app, environ, buffered=True)[0])
        if fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER):
            _hang_up(environ)
        if fault is Fault.TRUNCATE:
            return Response(body[: len(body) // 2], content_type="text/xml")
        return answer(request, REFUSALS[fault])


def is_of_iam(request: AWSRequest) -> bool:
    """Whether it is a call of IAM: entering an account does not lag."""
    return request.service == "iam"


def is_outside(access_key_id: str) -> bool:
    """Whether the key belongs to the administrator who looks from outside."""
    found = keys.owner(access_key_id)
    session = keys.session_of(*found) if found else None
    return session is not None and session.session_name == OUTSIDE


def _call(request: AWSRequest) -> Call:
    found = keys.owner(request.access_key_id)
    shown = {name: value for name, value in request.parameters.items() if not _is_secret(name)}
    return Call(request.operation, shown, found[0] if found else "")


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET) and name != "RoleSessionName"


def _hang_up(environ: "WSGIEnvironment") -> None:
    """Close the connection without an answer; the server takes the error as the client's going away."""
    connection: Any = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
