"""The words of a group of blocks: which of the blocks may hold what somebody looks for."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import zstandard

from studio.datasets.blocks import text_of

GROUP = 64
"""Blocks of a group at the most: those that hold a word are the bits of a number."""
WORD = 64
"""Letters of a word at the most; of a longer one there are several pieces."""
TERM = 24
"""So many letters of what is looked for are compared: pieces of a long word share as many."""
LONGEST = 4_096
"""Of a word that is longer only so much is kept, and its block is always read."""
MOST = 400_000
"""A group with more different words than this has no list of them: its blocks are read."""
_ENOUGH = 400
"""A term that is part of so many words is in all blocks, as good as always."""
_HEAD = struct.Struct("<QQ")
_LEVEL = 3


class WordList:
    """The words of blocks, gathered block by block."""

    def __init__(self) -> None:
        self._masks: dict[str, int] = {}
        self._long = 0
        self._all = 0
        self._count = 0

    def add(self, texts: Iterable[str]) -> None:
        """The next block's texts."""
        bit = 1 << self._count
        self._count += 1
        self._all |= bit
        words = set("\n".join(texts).casefold().split())
        if len(self._masks) + len(words) > MOST:
            # Forgetting is safe: a block that is not known well is read.
            self._long |= bit
            return
        longs = [word for word in words if len(word) > WORD]
        words.difference_update(longs)
        for word in longs:
            if len(word) > LONGEST:
                self._long |= bit
            words.update(pieces_of(word[:LONGEST]))
        masks = self._masks
        for word in words:
            masks[word] = masks.get(word, 0) | bit

    def encode(self) -> tuple[bytes, int]:
        """What `may_hold` reads, and how many bytes of it are read first."""
        words = sorted(self._masks)
        masks = np.array([self._masks[word] for word in words], dtype="<u8")
        # Bytes of the same place stand together: most of them are zero, or alike.
        planes = np.ascontiguousarray(masks.view("u1").reshape(-1, 8).T).tobytes()
        text = zstandard.compress("\n".join(["", *words, ""]).encode("utf-8", "replace"), _LEVEL)
        head = _HEAD.pack(self._all, self._long) + text
        return head + zstandard.compress(planes, _LEVEL), len(head)


def pieces_of(word: str) -> Iterable[str]:
    """Pieces of a long word, such that every `TERM` letters in a row stand in one of them."""
    step = WORD - TERM
    return (word[at : at + WORD] for at in range(0, max(1, len(word) - TERM), step))


def terms_of(phrase: str) -> tuple[str, ...]:
    """What has to be part of words where the phrase, in small letters, is part of a text."""
    terms = sorted({term[:TERM] for term in phrase.split()}, key=len, reverse=True)
    return tuple(
        term for at, term in enumerate(terms) if not any(term in longer for longer in terms[:at])
    )


def may_hold(head: bytes, terms: Sequence[str], rest: Callable[[], bytes]) -> int:
    """The blocks that may hold all of the terms, a bit for each.

    `head` is what is read first; `rest` fetches what comes behind it, if a word is found.
    """
    everywhere, long = _HEAD.unpack_from(head)
    found = int(everywhere)
    words = text_of(memoryview(head)[_HEAD.size :])
    planes: bytes | None = None
    for term in terms:
        hits = _lines_with(words, term.encode("utf-8", "replace"))
        if hits is None:
            continue
        here = int(long)
        if hits:
            if planes is None:
                planes = rest()
            if not planes:
                continue  # the group was made part of another one just now
            here |= _masks_of(words, text_of(planes), hits)
        found &= here
        if not found:
            return 0
    return found


def _masks_of(words: bytes, planes: bytes, hits: Sequence[int]) -> int:
    """All bits of the words that stand at these places of the text."""
    breaks = np.flatnonzero(np.frombuffer(words, "u1") == ord("\n"))
    lines = np.searchsorted(breaks, np.array(hits), side="right") - 1
    table = np.frombuffer(planes, "u1").reshape(8, -1)
    found = np.bitwise_or.reduce(table[:, np.unique(lines)], axis=1)
    return int.from_bytes(found.tobytes(), "little")


def _lines_with(words: bytes, term: bytes) -> list[int] | None:
    """Where the term stands, once a word at the most; None: in too many words to tell apart."""
    hits: list[int] = []
    at = words.find(term)
    while at >= 0:
        hits.append(at)
        if len(hits) > _ENOUGH:
            return None
        end = words.find(b"\n", at)
        at = words.find(term, end)
    return hits
