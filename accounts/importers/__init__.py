"""Reading AWS into the portal: fetch, then apply the whole of it or nothing."""

from accounts.importers.run import run

__all__ = ["run"]
