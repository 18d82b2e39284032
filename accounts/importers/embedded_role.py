"""Putting the portal's role in place in the embedded AWS: what an administrator does in a real one."""

from __future__ import annotations

import logging

from django.conf import settings

from accounts.importers.role_documents import role_of
from accounts.models import Account
from portal.aws import embedded

logger = logging.getLogger(__name__)


class NoEmbeddedAWS(Exception):
    """The portal works with a real AWS, where nobody but its administrators makes roles."""


def put_in_place(account_id: int) -> None:
    """Make the role that the page shows, or mend the one that is there.

    :raises NoEmbeddedAWS: where AWS is not embedded. :raises portal.aws.embedded.NotLoaded: when it does not answer.
    """
    if not settings.AWS_IS_EMBEDDED:
        raise NoEmbeddedAWS
    account = Account.objects.get(pk=account_id)
    role = role_of(account, with_discovery=True)
    embedded.put_role(
        account_id=account.account_id, role_name=role.name, path=role.path, trust=role.trust, policy=role.policy
    )
    logger.info("The embedded AWS has the role of account %s", account.account_id)
