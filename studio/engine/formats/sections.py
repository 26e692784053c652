"""Values under header lines `[[ ## name ## ]]`.

A line of a value that looks like such a header is written with a backslash before it, and read
back without, so that no value can open a field. White space at a value's ends is not kept (of
code: only blank lines are dropped, for its indentation counts); all else is.
"""

from __future__ import annotations

import re
from itertools import zip_longest

_HEADER = re.compile(r"^[ \t]*\[\[ ## (\w+) ## \]\][ \t]*", re.MULTILINE)
_LOOKS_LIKE_HEADER = re.compile(r"^([ \t]*\\*)(\[\[ ## )", re.MULTILINE)
_ESCAPED = re.compile(r"^([ \t]*\\*)\\(\[\[ ## )", re.MULTILINE)
_BLANK_LINES = re.compile(r"\A(?:[ \t\r]*\n)+")

MARK = "[[ ## "
COMPLETED = "completed"
"""The name of the header that ends an answer."""


def header(name: str) -> str:
    """The line above a value."""
    return f"[[ ## {name} ## ]]"


def section(name: str, text: str) -> str:
    """A value under its header; `text` is `quoted`."""
    return f"[[ ## {name} ## ]]\n{text}"


def quoted(text: str) -> str:
    """`text` without a line that could be taken for a header."""
    return _LOOKS_LIKE_HEADER.sub(r"\1\\\2", text) if MARK in text else text


def split(text: str) -> tuple[dict[str, str], str]:
    """What stands under each header, quoting undone, and the last header's name.

    Of a header that stands twice the first counts.
    """
    marks = list(_HEADER.finditer(text))
    found: dict[str, str] = {}
    for mark, following in zip_longest(marks, marks[1:]):
        body = text[mark.end() : following.start() if following else len(text)]
        if mark.group(1) not in found:
            found[mark.group(1)] = _ESCAPED.sub(r"\1\2", body) if MARK in body else body
    return found, marks[-1].group(1) if marks else ""


def trimmed(text: str, *, code: bool = False) -> str:
    """A value without the white space around it."""
    return _BLANK_LINES.sub("", text).rstrip() if code else text.strip()
