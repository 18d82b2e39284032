"""Reading AWS into the portal: fetch, then apply the whole of it or nothing."""

from accounts.importers.run import run
from portal.aws.calls import counted

__all__ = ["counted", "run"]
