"""A secret in memory, that shows itself only to who asks for it by name."""

from typing import Any, NoReturn

MASK = "••••••••"


class Secret:
    """Text that prints, formats and logs as dots; `reveal()` alone gives it, and nothing serializes it."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself."""
        return self.__text

    # Templates call whatever a name leads to: with this mark Django's refuse to.
    reveal.alters_data = True  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"<Secret {MASK}>"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:  # Any: object's own is typed so
        raise TypeError("A secret is not copied, pickled or sent to a task.")
