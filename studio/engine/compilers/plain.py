"""Texts without what does not matter when two of them are compared: case, spaces, punctuation."""

from __future__ import annotations

import re
import unicodedata

TOKEN = re.compile(
    r"\d+(?:[.,:/]\d+)*"  # a number, a time, a date
    r"|(?<![^\W\d_])-(?=\s*\d)"  # minus
    r"|[$+<=>^|~*%#&@\\]"  # what means something of its own
    r"|[^\s\d.,:/\-$+<=>^|~*%#&@\\]+"  # a word
)
"""The words, numbers and symbols of a plain text."""


class _Plain(dict[int, str]):
    """What becomes of each character; filled as they come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.category(char)
        if char in ".,:/-$+<=>^|~*%#&@\\" or kind == "Nd":
            plain = char
        elif char in "'\u2019\u02bc" or char == "\u00ad":
            plain = ""  # can't, cant
        elif kind == "Pd" or char == "\u2212":
            plain = "-"
        elif kind[0] in "PZC":
            plain = " "
        elif kind[0] == "S" or unicodedata.name(char, "")[:3] in ("CJK", "HIR", "KAT"):
            plain = f" {char} "  # a word of its own
        else:
            plain = char
        self[code] = plain
        return plain


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Without case, punctuation and forms of characters."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN)
