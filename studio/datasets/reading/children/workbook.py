"""Sends a sheet of an Excel workbook as lines of JSON; a process of its own, see `apart`.

The first line says what there is; each other one is a list of rows, from the first row of the
sheet on. Macros are not even looked at, and of formulas the values that were stored with them.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NoReturn
from xml.etree import ElementTree

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

MAX_UNPACKED = 1024**3
"""Bytes of XML in a workbook: a workbook is not read as a stream."""
MAX_RATIO = 300
FREE_UNPACKED = 32 * 1024**2
ROWS = 256
_BLOCK = 256 * 1024
_LISTED = 10_000
_PREFIX = 20
"""Characters of a namespace's prefix, at the most."""
_REFERENCE = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_EMPTY_FORMULA = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ERROR = re.compile(rb'\bt="e"')
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write("\n" + json.dumps({"refused": sentence}) + "\n")
    sys.exit(1)


def _check(archive: zipfile.ZipFile) -> None:
    """Look at the directory before anything is unpacked."""
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "xl/workbook.bin" in names:
        _refuse("This is a binary workbook (.xlsb). Save it as .xlsx.")
    if "xl/workbook.xml" not in names:
        _refuse("This is a ZIP archive and no Excel workbook. Upload a table: .xlsx or .csv.")
    if any(entry.flag_bits & 1 for entry in entries):
        _refuse("The workbook is encrypted. Save it without a password.")
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > MAX_UNPACKED:
        _refuse(
            f"The workbook unpacks to {size / 1024**3:,.1f} GB; {MAX_UNPACKED // 1024**3} GB is "
            "the most. Save the sheet as CSV."
        )
    if size > FREE_UNPACKED and size > MAX_RATIO * max(1, packed):
        _refuse(
            f"The workbook unpacks to more than {MAX_RATIO} times its size: that is no table. "
            "Save the sheet as CSV."
        )


def _unpack(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as file:
        while block := file.read(_BLOCK):
            yield block


def _sheet_path(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of a sheet inside of the workbook; empty when it cannot be told."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (ElementTree.ParseError, KeyError):
        return ""
    wanted = [
        e.get(_REL) for e in book.iter() if e.tag.endswith("}sheet") and e.get("name") == sheet
    ]
    for link in links.iter():
        if wanted and link.get("Id") == wanted[0]:
            target = link.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return path if path in archive.namelist() else ""
    return ""


def _odd_cells(archive: zipfile.ZipFile, path: str) -> tuple[list[Any], list[Any], int]:
    """([row, column] of formulas without a value, of errors, how many were not listed)."""
    formulas: list[Any] = []
    errors: list[Any] = []
    unlisted = 0
    for text in _whole_rows(_unpack(archive, path)):
        for pattern, found in ((_EMPTY_FORMULA, formulas), (_ERROR, errors)):
            for match in pattern.finditer(text):
                begin = max(text.rfind(b"<c ", 0, match.start()), 0)
                begin = max(begin, text.rfind(b":c ", 0, match.start()) - _PREFIX)
                references = _REFERENCE.findall(text, max(0, begin), match.end())
                if not references or len(found) >= _LISTED:
                    unlisted += 1
                else:
                    letters, row = references[-1]
                    found.append([int(row), _column(letters)])
    return formulas, errors, unlisted


def _whole_rows(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """XML in pieces that end between two rows."""
    rest = b""
    for block in blocks:
        rest += block
        cut = max(rest.rfind(b"</row>"), rest.rfind(b":row>"))
        if cut > 0:
            yield rest[: cut + 5]
            rest = rest[cut + 5 :]
    yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _value(cell: Any) -> Any:
    if cell == "" or cell is None:
        return None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = cell.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    return cell


def _rows(sheet: CalamineSheet) -> Iterator[list[Any]]:
    for row in sheet.iter_rows():
        cells = [_value(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        yield cells


def _choose(book: CalamineWorkbook, wanted: str) -> tuple[str, CalamineSheet]:
    """The sheet that was asked for, or the first visible one with something in it."""
    sheets = [meta for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    if wanted:
        if wanted not in [meta.name for meta in sheets]:
            _refuse(f"The workbook has no sheet “{wanted[:80]}”.")
        return wanted, book.get_sheet_by_name(wanted)
    for meta in sorted(sheets, key=lambda meta: meta.visible != SheetVisibleEnum.Visible):
        sheet = book.get_sheet_by_name(meta.name)
        if sheet.start is not None:
            return meta.name, sheet
    _refuse("The workbook has no sheet with anything in it.")


def _limit(kind: int, amount: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (soft, hard))


def main() -> None:
    """Arguments: limits, path, sheet (empty: the first one with something in it)."""
    limits, path, wanted = sys.argv[1:]
    allowed = json.loads(limits)
    _limit(resource.RLIMIT_AS, allowed["memory"])
    _limit(resource.RLIMIT_CPU, allowed["seconds"])
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        _refuse("This is no Excel workbook (.xlsx), or a part of one. Save it again, or as CSV.")
    _check(archive)
    try:
        for entry in archive.infolist():
            if entry.filename.endswith((".xml", ".rels")):
                # What the directory says about sizes need not be true: the check sum tells.
                for _block in _unpack(archive, entry.filename):
                    pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        why = "".join(filter(str.isprintable, str(error)[:100])).rstrip(".")
        _refuse(f"The workbook is damaged ({why}). Save it again, or as CSV.")
    try:
        book = CalamineWorkbook.from_path(path)
    except PasswordError:
        _refuse("The workbook has a password. Save it without one.")
    name, sheet = _choose(book, wanted)
    inside = _sheet_path(archive, name)
    formulas, errors, unlisted = _odd_cells(archive, inside) if inside else ([], [], 0)
    write = sys.stdout.write
    about = {
        "sheet": name,
        "sheets": [m.name for m in book.sheets_metadata if m.typ == SheetTypeEnum.WorkSheet],
        "others": [other for other in book.sheet_names if other != name],
        "macros": any(entry.endswith("vbaProject.bin") for entry in archive.namelist()),
        "column": sheet.start[1] if sheet.start else 0,
        "width": sheet.width,
        "height": sheet.end[0] + 1 if sheet.end else 0,
        "formulas": formulas,
        "errors": errors,
        "unlisted": unlisted,
    }
    write(json.dumps(about) + "\n")
    rows: list[list[Any]] = []
    for row in _rows(sheet):
        rows.append(row)
        if len(rows) == ROWS:
            write(json.dumps(rows) + "\n")
            rows = []
    write(json.dumps(rows) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
