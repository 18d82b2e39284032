"""Which names a snapshot may write: in AWS names are changed and swapped, and the portal's rows hold each once."""

from collections import Counter
from collections.abc import Mapping


def writable(*, held: Mapping[str, str], wanted: Mapping[str, str]) -> set[str]:
    """Those of `wanted` that fit beside the names that stay.

    Both map ids to names. What is held and not wanted stays as it is: a creation on its way, or a row that is newer
    than the snapshot. Whoever wants a name that stays must wait for a later import, and then stays too.
    """
    wanted = {key: name.lower() for key, name in wanted.items()}
    # A name that was deleted and made again between two pages is there twice.
    times = Counter(wanted.values())
    writing = {key for key, name in wanted.items() if times[name] == 1}
    while True:
        staying = {name.lower(): key for key, name in held.items() if key not in writing}
        waiting = {key for key in writing if staying.get(wanted[key], key) != key}
        if not waiting:
            return writing
        writing -= waiting
