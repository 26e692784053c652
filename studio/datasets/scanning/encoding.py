"""Text that was read in a wrong encoding: found, and put right where that can be."""

from __future__ import annotations

import re

LOST = "\ufffd"
_HIGH = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""What the second and later bytes of a UTF-8 letter become in Windows-1252 or Latin-1."""
_DAMAGE = re.compile(
    f"[\u00c2-\u00df][{_HIGH}]|[\u00e0-\u00ef][{_HIGH}]{{2}}|[\u00f0-\u00f4][{_HIGH}]{{3}}"
)
_TYPICAL = re.compile(f"[ÃÂ][{_HIGH}]|â[€‚„†\u0080-\u0086]|ï»¿|[ÐÑ][{_HIGH}]|ð[Ÿ\u009f]")
LONGEST = 200_000
"""So many characters of a text are looked through."""


def is_damaged(text: str) -> bool:
    """Whether it holds what a wrong encoding leaves behind."""
    if text.isascii():
        return False
    text = text[:LONGEST]
    return LOST in text or (_TYPICAL.search(text) is not None and repair(text) != text)


def repair(text: str) -> str:
    """The text with such letters put right; as it is, where none can be."""
    return _DAMAGE.sub(_right, text)


def _right(match: re.Match[str]) -> str:
    try:
        return b"".join(map(_byte, match[0])).decode("utf-8")
    except UnicodeError:
        return match[0]


def _byte(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")
