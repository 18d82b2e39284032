"""Policy documents as AWS holds them, in a form that every database can hold."""

import math
import re
from collections.abc import Iterable, Mapping

from portal.aws.iam.account import PolicyDetail

# JSON can name NUL and half of a surrogate pair; PostgreSQL stores neither.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(document: object) -> object:
    """The document with what cannot be stored replaced: whoever writes policies must not stop the account's import."""
    if isinstance(document, str):
        return UNSTORABLE.sub(REPLACEMENT, document)
    if isinstance(document, Mapping):
        return {UNSTORABLE.sub(REPLACEMENT, str(key)): storable(value) for key, value in document.items()}
    if isinstance(document, list):
        return [storable(value) for value in document]
    if isinstance(document, float) and not math.isfinite(document):
        return str(document)
    return document


def inline_policies(policies: Iterable[PolicyDetail]) -> dict[str, object]:
    """Inline policies by name."""
    return {policy.policy_name: storable(policy.policy_document) for policy in policies}
