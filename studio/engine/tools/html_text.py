"""A web page as the text that people read of it.

One pass from beginning to end: the standard library's parser takes minutes for some broken pages
of a few hundred kilobytes, and a page is somebody else's.
"""

from __future__ import annotations

import html
import re

_HIDDEN = {"iframe", "noscript", "object", "script", "select", "style", "svg", "template"}
_RAW = {"iframe", "noscript", "script", "style"}
"""What is inside of these is no markup."""
_BLOCKS = {
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
    "main", "nav", "ol", "p", "pre", "section", "table", "title", "tr", "ul",
}  # fmt: skip
_CELLS = {"td", "th"}
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]{0,40})")
_TAG = re.compile(r"""<(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")
_LONGEST_TAG = 1_000
"""Further on, quotes are not minded: a `>` ends the tag."""
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES = re.compile(r" ?\n[ \n]*")


def html_text(page: str) -> str:
    """The visible text, a line for every block; broken pages are read as far as they go."""
    parts: list[str] = []
    hidden: list[str] = []
    at = 0
    while at < len(page):
        start = page.find("<", at)
        if start < 0:
            start = len(page)
        if not hidden:
            parts.append(_unescaped(page[at:start]))
        at, tag, closes = _markup(page, start)
        if not tag and closes and not hidden:
            parts.append("<")
        elif closes and tag in hidden:
            # A page that forgets to close what is inside must not hide what comes after.
            del hidden[hidden.index(tag) :]
        elif not closes and tag in _RAW:
            at = _end_of_raw(page, at, tag)
        elif not closes and tag in _HIDDEN:
            hidden.append(tag)
        elif tag and not hidden:
            parts.append(_mark(tag, closes))
    text = _SPACES.sub(" ", "".join(parts))
    return _LINES.sub("\n", text).strip()


def _markup(page: str, start: int) -> tuple[int, str, bool]:
    """Where the markup at `start` ends, its tag, and whether that closes.

    No tag: a comment and the like, or, when it “closes”, a `<` that is no markup.
    """
    if page.startswith("<!--", start):
        end = page.find("-->", start + 4)
        return (end + 3 if end >= 0 else len(page)), "", False
    name = _NAME.match(page, start)
    if name is None and not page.startswith(("<!", "<?", "</"), start):
        return start + 1, "", start < len(page)
    whole = _TAG.match(page, start, start + _LONGEST_TAG)
    end = whole.end() if whole else page.find(">", start) + 1
    if not end:
        return len(page), "", False
    return end, name[1].lower() if name else "", bool(name) and page[start + 1] == "/"


def _end_of_raw(page: str, at: int, tag: str) -> int:
    found = re.compile(rf"</{tag}\b", re.IGNORECASE).search(page, at)
    return found.start() if found else len(page)


def _mark(tag: str, closes: bool) -> str:
    """What stands for a tag in the text."""
    if tag == "li" and not closes:
        return "\n- "
    if tag in _BLOCKS:
        return "\n"
    return " | " if tag in _CELLS and not closes else ""


def _unescaped(text: str) -> str:
    text = text.replace("\n", " ")
    try:
        return html.unescape(text)
    except ValueError:  # A character's number with thousands of digits.
        return text
