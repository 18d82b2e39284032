"""The rows of the ledger."""

from portal.ledger.models.delivery import Delivery
from portal.ledger.models.entry import Entry, Head

__all__ = ["Delivery", "Entry", "Head"]
