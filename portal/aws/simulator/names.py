"""Names, paths and tags as AWS takes them; moto takes anything. Limits: IAM API reference, CreateUser, CreateGroup."""

import re
import secrets
import string
from collections.abc import Iterable

from moto.iam.exceptions import EntityAlreadyExists, ValidationError

NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
PATH = re.compile(r"/(?:[\x21-\x7E]{0,510}/)?")
LONGEST_USER_NAME = 64
LONGEST_GROUP_NAME = 128
UNIQUE = string.ascii_uppercase + string.digits
INVALID = "The specified value for {} is invalid. It must"
CONSTRAINT = "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"


def check_name(parameter: str, value: str, longest: int) -> None:
    """:raises ValidationError: as AWS words it."""
    if not 1 <= len(value) <= longest:
        _refuse(parameter, value, f"Member must have length less than or equal to {longest}")
    if not NAME.fullmatch(value):
        raise ValidationError(INVALID.format(parameter) + " contain only alphanumeric characters and/or +=,.@_-")


def check_path(path: str) -> None:
    """:raises ValidationError: where it does not begin and end with a slash."""
    if not PATH.fullmatch(path):
        raise ValidationError(INVALID.format("path") + " begin and end with / and contain no spaces.")


def check_is_free(kind: str, value: str, taken: Iterable[str]) -> None:
    """Names are unique ignoring case.

    :raises EntityAlreadyExists: where one is there already.
    """
    if value.lower() in {name.lower() for name in taken}:
        raise EntityAlreadyExists(f"{kind} with name {value} already exists.")


def unique_id(prefix: str) -> str:
    """An id as AWS makes them: AIDA, AGPA or ANPA and 17 letters and digits."""
    return prefix + "".join(secrets.choice(UNIQUE) for _ in range(17))


def _refuse(parameter: str, value: str, constraint: str) -> None:
    raise ValidationError(CONSTRAINT.format(value=value, name=parameter, constraint=constraint))
