"""Keep the debug records of botocore and below, which hold secret keys, passwords and signatures, from every handler.

A level alone would not do: logging configuration may lower it again at any time. A filter stays when levels and
handlers change, but it acts only on the logger it hangs on, so it hangs on the logger of every module of these
packages, imported already or not.
"""

import logging
from collections.abc import Iterator
from importlib import util
from pathlib import Path

PACKAGES = ("botocore", "boto3", "s3transfer", "urllib3")


class _AtLeastInfo(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_AT_LEAST_INFO = _AtLeastInfo()


def pin() -> None:
    """Drop what these packages log below INFO, whatever any logging configuration says before or after.

    :raises ModuleNotFoundError: when one of the packages is not installed.
    """
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
        for name in _modules_of(package):
            logging.getLogger(name).addFilter(_AT_LEAST_INFO)


def _modules_of(package: str) -> Iterator[str]:
    spec = util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    root = Path(spec.origin).parent
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
