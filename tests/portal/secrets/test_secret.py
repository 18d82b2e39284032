"""A secret in memory does not slip out by printing, logging, formatting, copying or serializing."""

import copy
import json
import logging
import pickle
from collections.abc import Callable

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context, Template

from portal.secrets.secret import Secret

CANARY = "CANARYwJalrXUtnFEMIK7MDENGbPxRfiCY"


def test_it_gives_its_text_to_who_asks_for_it() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        format,
        ascii,
        lambda secret: f"{secret}{secret!r}{secret!s:>60}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 loggers format so
        lambda secret: repr([secret, {"key": secret}]),
        lambda secret: str(dir(secret)),
        lambda secret: Template("{{ secret }}{{ secret.reveal }}{{ secret|pprint }}").render(
            Context({"secret": secret})
        ),
    ],
)
def test_whatever_shows_it_shows_dots(show: Callable[[Secret], str]) -> None:
    assert CANARY not in show(Secret(CANARY))


def test_logs_show_dots(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(__name__).debug("Made %s and %r", Secret(CANARY), Secret(CANARY))

    assert "Made" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "serialize",
    [
        pickle.dumps,
        lambda secret: pickle.dumps(secret, 0),
        json.dumps,
        lambda secret: json.dumps({"key": secret}, cls=DjangoJSONEncoder),
        copy.copy,
        copy.deepcopy,
        vars,
    ],
)
def test_nothing_serializes_or_copies_it(serialize: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        serialize(Secret(CANARY))
