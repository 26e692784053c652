"""Inputs of rows as they are compared: folded into words, numbers and symbols.

What is folded, and what tells two texts apart whatever else they share (`marks`: numbers and
symbols), is as in `studio.engine.compilers.near`, which keeps near duplicates apart in a compile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from studio.engine.compilers.near import FEWEST
from studio.engine.compilers.plain import TOKEN, plain

LONGEST = 20_000
"""So many characters of a text are compared word by word; to be equal all of them have to be."""
_KNOWN = 300_000
_MIX = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Folded:
    """A text, ready to be compared."""

    key: bytes
    """Equal for texts that are equal up to Unicode forms, case, blanks and punctuation."""
    marks: tuple[str, ...]
    """Numbers and symbols, in their order."""
    words: tuple[int, ...]
    """A number for each word: for the second “the” another one than for the first."""
    is_cut: bool
    """Only its beginning stands in `words` and `marks`."""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is left of it."""
        return not self.words


class _Numbers(dict[str, int]):
    """64 bits for each word; not all that ever came are remembered."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _KNOWN:
            self.clear()
        found = number_of(word)
        self[word] = found
        return found


_NUMBERS = _Numbers()


def number_of(text: str) -> int:
    """64 bits that are the same in every process."""
    return int.from_bytes(digest(text, size=8), "little")


def digest(text: str, size: int = 16) -> bytes:
    """A hash of any text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def fold(text: str) -> Folded:
    """The text as it is compared."""
    tokens = TOKEN.findall(plain(text))
    key = "".join([token if token[0].isalpha() else f" {token} " for token in tokens])
    is_cut = len(key) > LONGEST
    if is_cut:
        tokens = _beginning(tokens)
    seen: dict[str, int] = {}
    words = []
    for token in tokens:
        before = seen.get(token, 0)
        seen[token] = before + 1
        words.append((_NUMBERS[token] + before * _MIX) & _MASK)
    marks = tuple([token for token in tokens if not token[0].isalpha()])
    return Folded(digest(key), marks, tuple(words), is_cut)


def _beginning(tokens: Sequence[str]) -> list[str]:
    kept, size = [], 0
    for token in tokens:
        size += len(token)
        if size > LONGEST:
            break
        kept.append(token)
    return kept


def jaccard(one: Collection[int], other: Collection[int]) -> float:
    """What two texts share of all words that either has (Jaccard's index of multisets)."""
    mine, its = frozenset(one), frozenset(other)
    both = len(mine & its)
    return both / max(1, len(mine) + len(its) - both)


def may_be_near(count: int) -> bool:
    """Whether a text of so many words can be nearly equal to another; short ones are equal."""
    return count >= FEWEST
