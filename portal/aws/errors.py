"""What can go wrong in AWS, sorted by what one does next, and the one place that maps botocore's exceptions to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from portal.aws import codes


class AWSError(Exception):
    """A call to AWS that did not end well; its text is a sentence for people, without secrets.

    `operation` is the API operation ("CreateUser"), `code` AWS's error code or the exception's name, `message` AWS's
    own words, `request_id` what AWS's support asks for ("" where no answer came).
    """

    sentence = "AWS did not do {operation}: {message}"

    def __init__(self, *, operation: str, code: str, message: str, request_id: str = "") -> None:
        super().__init__(operation, code, message, request_id)
        self.operation = operation
        self.code = code
        self.message = message
        self.request_id = request_id

    def __str__(self) -> str:
        return self.sentence.format(operation=self.operation, code=self.code, message=self.message)


class TryLater(AWSError):
    """Wait and try again: throttling, AWS's own faults, lost replies, expired credentials, a skewed clock.

    `is_doubtful` claims that the call may have happened although no good answer came: read before calling again.
    """

    sentence = "AWS could not do {operation} now: {message}"

    def __init__(
        self, *, operation: str, code: str, message: str, request_id: str = "", is_doubtful: bool = False
    ) -> None:
        super().__init__(operation=operation, code=code, message=message, request_id=request_id)
        self.is_doubtful = is_doubtful

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} It may have happened all the same." if self.is_doubtful else text


class Denied(AWSError):
    """Ask whoever runs the AWS account: the portal lacks a permission, or its credentials are not accepted."""

    sentence = "AWS denied {operation}: {message}"


class Refused(AWSError):
    """Change what is asked for: bad input, a limit, a malformed policy, the password policy."""

    sentence = "AWS refused {operation}: {message}"


class Conflict(AWSError):
    """Look at what is there: the name is taken, or something still hangs on what should go."""

    sentence = "{operation} conflicts with what AWS holds: {message}"


class NotFound(AWSError):
    """It is not there; when deleting, that may be what was wanted."""

    sentence = "AWS found nothing for {operation}: {message}"


class Unknown(AWSError):
    """An answer that nobody foresaw: never success, ask a human."""

    sentence = "AWS answered {operation} in a way the portal does not know ({code}): {message}"


BY_CODE: dict[str, type[AWSError]] = {
    **dict.fromkeys(codes.THROTTLED | codes.BUSY | codes.TIMING, TryLater),
    **dict.fromkeys(codes.DENIALS, Denied),
    **dict.fromkeys(codes.REFUSALS, Refused),
    **dict.fromkeys(codes.CONFLICTS, Conflict),
    **dict.fromkeys(codes.ABSENT, NotFound),
}

# SigV4 answers a skewed clock with the code of a wrong secret; only the words differ.
SKEWED = re.compile(r"Signature (expired|not yet current)")
# Validation errors quote what was sent, a password or a code included.
QUOTED = re.compile(r"(?is)value '.*?' (?=at '[a-z]*(password|secret|code)[a-z0-9]*')|, value: .*?(?=, (valid|type))")

NOT_IMPLEMENTED = 501
FORBIDDEN = 403
SERVER_FAULT = 500

# Raised before a byte of the request was sent.
NEVER_SENT = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError, boto.SSLError)
# Raised when the request was on its way: the connection broke, the answer hung or was cut off.
LOST = (boto.HTTPClientError, boto.IncompleteReadError, ResponseParserError)
NO_KEY = (boto.NoCredentialsError, boto.PartialCredentialsError)
KEY_NOT_FETCHED = (boto.CredentialRetrievalError, boto.MetadataRetrievalError)


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Let nothing of botocore's out of the block but an :class:`AWSError`.

    :raises AWSError: one of its six kinds, for whatever botocore raised.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError) as error:
        raise translate(error, operation) from None


def translate(error: Exception, operation: str) -> AWSError:
    """Sort one botocore exception by what to do next; what is not known is `Unknown`, never success."""
    if isinstance(error, boto.ClientError):
        return _from_answer(error, operation)
    code = type(error).__name__
    if isinstance(error, LOST):
        return TryLater(operation=operation, code=code, message="no answer arrived.", is_doubtful=True)
    kind, message = _without_answer(error)
    return kind(operation=operation, code=code, message=message)


def _without_answer(error: Exception) -> tuple[type[AWSError], str]:
    if isinstance(error, NEVER_SENT):
        return TryLater, "AWS could not be reached."
    if isinstance(error, KEY_NOT_FETCHED):
        return TryLater, "the portal could not fetch its own AWS credentials."
    if isinstance(error, NO_KEY):
        return Denied, "the portal has no AWS credentials of its own."
    kind = Refused if isinstance(error, boto.ParamValidationError) else Unknown
    return kind, _without_secrets(str(error))


def _from_answer(error: boto.ClientError, operation: str) -> AWSError:
    answer = error.response.get("Error", {})
    facts = error.response.get("ResponseMetadata", {})
    code, status = str(answer.get("Code", "")), facts.get("HTTPStatusCode", 0)
    message = _without_secrets(str(answer.get("Message") or code))
    kind = _kind(code, status or (int(code) if code.isdigit() else 0), message)
    request_id = str(facts.get("RequestId", ""))
    if kind is TryLater:
        # What AWS's table of codes does not explain broke inside AWS, before or after the deed.
        is_doubtful = code not in BY_CODE
        return TryLater(operation=operation, code=code, message=message, request_id=request_id, is_doubtful=is_doubtful)
    return kind(operation=operation, code=code, message=message, request_id=request_id)


def _kind(code: str, status: int, message: str) -> type[AWSError]:
    if code == "SignatureDoesNotMatch" and SKEWED.search(message):
        return TryLater
    if code in BY_CODE:
        return BY_CODE[code]
    if code in codes.OWN_FAULTS or (status >= SERVER_FAULT and status != NOT_IMPLEMENTED):
        return TryLater
    return Denied if status == FORBIDDEN else Unknown


def _without_secrets(message: str) -> str:
    return QUOTED.sub("", message)
