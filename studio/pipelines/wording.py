"""How one text becomes another, word by word: see `studio.wording`."""

from __future__ import annotations

from studio.wording import Piece, word_diff

__all__ = ["Piece", "word_diff"]
