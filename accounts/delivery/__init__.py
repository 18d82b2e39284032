"""How each kind of entry reaches AWS.

A handler may run twice and late: it reads what is there, adopts only what is ours, and makes it so.
"""

from accounts.delivery import approvals, creation, deletion, drift, groups, held, tags
from accounts.kinds import Kind
from portal.ledger.handlers import Handler, register

_HANDLERS = {
    Kind.IAM_USER_CREATED: Handler(creation.carry, creation.settle, creation.abandon),
    Kind.IAM_USER_TAGGED: Handler(tags.carry, tags.settle, held.take_back),
    Kind.IAM_USER_ADDED_TO_GROUP: Handler(groups.carry_addition, groups.settle, held.take_back),
    Kind.IAM_USER_REMOVED_FROM_GROUP: Handler(groups.carry_removal, groups.settle, held.take_back),
    Kind.IAM_USER_DELETED: Handler(deletion.carry, deletion.settle),
    Kind.DRIFT_REVERTED: Handler(drift.carry, drift.settle, drift.abandon),
}
# Any of these may follow from a request.
HANDLERS = {kind: approvals.guarded(handler) for kind, handler in _HANDLERS.items()}


def register_handlers() -> None:
    """Tell the ledger who carries what; called once, when Django is ready."""
    for kind, handler in HANDLERS.items():
        register(kind, handler)
