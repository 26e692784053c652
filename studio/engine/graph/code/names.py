"""Names of variables for the nodes of a drawing."""

from __future__ import annotations

import keyword
import re

_TAKEN = frozenset({"Drawing", "pipeline", "program", *keyword.kwlist, *keyword.softkwlist})
_LONGEST = 60


class Names:
    """Gives every node a variable of its own."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def free(self, name: str, otherwise: str) -> str:
        """A variable that is much like `name`: `Sort mail` is `sort_mail`."""
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST].strip("_")
        if not plain[:1].isalpha():
            plain = f"{otherwise}_{plain}".strip("_")
        if plain in _TAKEN:
            plain = f"{plain}_{otherwise}"
        made, number = plain, 2
        while made in self._given or made in _TAKEN:
            made, number = f"{plain}_{number}", number + 1
        self._given.add(made)
        return made


def is_word(name: str) -> bool:
    """Whether it can stand behind a dot, or before `=` in a call."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
