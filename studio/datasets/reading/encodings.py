"""Which encoding a text file has, and whether it is text at all."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from studio.datasets.reading.packed import open_bytes
from studio.datasets.reading.problems import Problem
from studio.errors import Invalid

_HEAD = 256 * 1024
_BLOCK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"PK\x03\x04", "a ZIP archive (Excel workbooks are ZIP archives, too)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file, or a workbook with a password"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_SUFFIXES = {
    "a Parquet file": ".parquet",
    "a gzip archive": ".csv.gz or .jsonl.gz",
    "a Zstandard archive": ".csv.zst or .jsonl.zst",
    "a ZIP archive (Excel workbooks are ZIP archives, too)": ".xlsx if it is a workbook",
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_CP1252_HOLES = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


def detect_encoding(path: Path, compression: str = "") -> tuple[str, list[Problem]]:
    """The encoding of the whole file, read once in blocks, and what there is to say about it.

    Raises `Invalid` for files that are empty or no text.
    """
    with open_bytes(path, compression) as file:
        head = file.stream.read(_HEAD)
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise Invalid("The file is empty. Upload one with a row of column names and some rows.")
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    problems: list[Problem] = []
    if encoding in ("", "utf-8-sig"):
        _refuse_binary(head)
    if not encoding and (encoding := _unmarked(head)):
        what = f"It has no mark, and looks like {encoding.upper()}."
        done = "It is read as that: look whether the text is right. If not, save it as UTF-8."
        problems.append(Problem(kind="encoding", what=what, done=done))
    if not encoding:
        _refuse_control(head)
    bad = _first_bad_byte(path, compression, encoding or "utf-8")
    if bad is None:
        return encoding or "utf-8", problems
    if encoding not in ("", "utf-8-sig"):
        raise Invalid(
            f"The file begins as {encoding.upper()}, but from byte {bad[0]:,} on it is not. "
            "Save it again as UTF-8."
        )
    return "cp1252", _not_utf8(path, compression, *bad)


def _not_utf8(path: Path, compression: str, offset: int, line: int) -> list[Problem]:
    done = (
        "The file is read as Windows-1252: look whether letters with accents are right. "
        "If they are not, save it again as UTF-8."
    )
    what = f"Byte {offset:,} (line {line:,}) is not UTF-8."
    problems = [Problem(kind="encoding", line=line, what=what, done=done)]
    if holes := _count_holes(path, compression):
        what = f"{holes:,} bytes mean nothing in Windows-1252 either."
        done = "A � stands in their place."
        problems.append(Problem(kind="encoding", what=what, done=done))
    return problems


def _refuse_binary(head: bytes) -> None:
    for magic, title in _BINARY:
        if head.startswith(magic):
            name = f", or name it {_SUFFIXES[title]}" if title in _SUFFIXES else ""
            raise Invalid(
                f"This is {title}, not text. Export it as CSV in UTF-8, and upload that{name}."
            )
    if (
        head[:1024]
        .lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<!doctype", b"<html", b"<?xml"))
    ):
        raise Invalid(
            "This is a web page or XML, not a table: some programs export those as “Excel”. "
            "Open it in a spreadsheet, save it as CSV in UTF-8, and upload that."
        )


def _refuse_control(head: bytes) -> None:
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > max(4, len(head) // 100):
        raise Invalid("This is not a text file. Export the table as CSV in UTF-8.")


def _unmarked(head: bytes) -> str:
    """UTF-16 without its mark, when it is clear: every other byte of most text is zero."""
    even, odd, half = head[0::2].count(0), head[1::2].count(0), max(1, len(head) // 2)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 0.4 * half and others < 0.02 * half:
            return encoding
    return ""


def _first_bad_byte(path: Path, compression: str, encoding: str) -> tuple[int, int] | None:
    """(offset, line) of the first byte that does not decode, both from 1; None when all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = encoding.startswith("utf-8")
    offset, line = 0, 1
    for block in _blocks(path, compression):
        if is_utf8 and offset and block and block.isascii() and not decoder.getstate()[0]:
            offset += len(block)
            line += block.count(b"\n")
            continue
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # `error.object` begins with what the decoder had kept from the block before.
            kept = len(error.object) - len(block)
            before = error.object[: error.start]
            return offset - kept + error.start + 1, line + before.count(b"\n")
        offset += len(block)
        line += block.count(b"\n")
    return None


def _blocks(path: Path, compression: str) -> Iterator[bytes]:
    """All of the file, and an empty block at its end."""
    with open_bytes(path, compression) as file:
        while block := file.stream.read(_BLOCK):
            yield block
        yield b""


def _count_holes(path: Path, compression: str) -> int:
    return sum(block.count(hole) for block in _blocks(path, compression) for hole in _CP1252_HOLES)
