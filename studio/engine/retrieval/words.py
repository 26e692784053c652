"""Texts as words, in any script."""

from __future__ import annotations

import re
import unicodedata

# Written without spaces: Thai, Lao, Burmese, Khmer, Kana, Han; Hangul has spaces, but compounds.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
# Vowel signs of Hebrew, Arabic and the scripts of India: part of a word, but no letters to `\w`.
_SIGNS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963"
    "\u0966-\u0dff"
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_WORD = re.compile(f"[{_UNSPACED}]|(?:(?![_{_UNSPACED}])[\\w{_SIGNS}])+")
_SPREAD_WORD = re.compile(f"(?:(?!_)[\\w{_SIGNS}{_UNSPACED}])+")
_ACCENTS = re.compile("[\u0300-\u036f]+")


def words(text: str) -> list[str]:
    """The words of a text in small letters, without accents; `Straße, 東京` as `strasse 東 京`.

    Where a script has no spaces, each letter is a word.
    """
    return _WORD.findall(fold(text))


def fold(text: str) -> str:
    """Small letters without accents, one form for what looks the same (Unicode's NFKC)."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def spread(text: str) -> str:
    """The text as a full-text index takes it that splits at spaces and punctuation.

    Folded if that may change more than the size of letters. Every run of a script without spaces
    becomes its letters and its pairs of letters: then `東京` is found inside of `東京都に`, and a
    longer common run counts for more.
    """
    if text.isascii():
        return text
    return _UNSPACED_RUN.sub(lambda run: f" {' '.join(_pieces(run.group()))} ", fold(text))


def search_words(text: str) -> list[str]:
    """The words of what `spread` makes of a text."""
    return _SPREAD_WORD.findall(spread(text).lower())


def clean(text: str) -> str:
    """The text as UTF-8 can hold it: half of a surrogate pair becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _pieces(run: str) -> list[str]:
    return [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
