"""No debug record of botocore reaches a handler."""

import logging
import logging.config

import pytest

from portal.aws import connect, quiet
from tests.aws.server import AWS

DEBUGGED = ("botocore", "botocore.endpoint", "botocore.parsers", "boto3")
DEBUG_EVERYWHERE = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {},
    "root": {"level": "DEBUG"},
    "loggers": {name: {"level": "DEBUG"} for name in DEBUGGED},
}


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> str:
        return "\n".join(record.getMessage() for record in self.records)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def listen(aws: AWS, listener: Listener) -> str:
    """Enter an account and set a password while everything is set to DEBUG; the secrets are returned."""
    door = aws.account("111122223333")
    levels = {name: logging.getLogger(name).level for name in ("", *DEBUGGED)}
    logging.config.dictConfig(DEBUG_EVERYWHERE)
    logging.getLogger().addHandler(listener)
    logging.getLogger("botocore").addHandler(listener)
    try:
        iam = connect.iam(door)
        iam.create_user(user_name="mia", tags={}, permissions_boundary=None)
        iam._write("CreateLoginProfile", UserName="mia", Password="canary-password")
    finally:
        logging.getLogger().removeHandler(listener)
        logging.getLogger("botocore").removeHandler(listener)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    return "canary-password"


def test_no_secret_is_heard_at_debug(aws: AWS, listener: Listener) -> None:
    secret = listen(aws, listener)

    assert secret not in listener.text
    assert "SecretAccessKey" not in listener.text
    assert not [record for record in listener.records if record.name.startswith(quiet.PACKAGES) and record.levelno < 20]


def test_without_the_filter_the_secret_would_be_heard(
    aws: AWS, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet._AtLeastInfo, "filter", lambda self, record: True)

    secret = listen(aws, listener)

    assert secret in listener.text


def test_what_is_told_at_info_is_still_told(listener: Listener) -> None:
    logger = logging.getLogger("botocore.credentials")
    logger.addHandler(listener)
    logger.info("Found credentials")
    logger.removeHandler(listener)

    assert listener.text == "Found credentials"
