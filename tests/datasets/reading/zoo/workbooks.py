"""Excel workbooks made by hand, so that they can be made wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
STYLES = (
    f'{_HEAD}<styleSheet {_MAIN}><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="14"/></cellXfs>'
    "</styleSheet>"
)
"""Style 1 is a date with a time, style 2 a date."""


def cell(reference: str, inside: str = "", **attributes: Any) -> str:
    """`<c r="A1" t="e"><v>…</v></c>`."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<c r="{reference}"{more}>{inside}</c>'


def text(reference: str, content: str) -> str:
    """A cell that holds text."""
    return cell(reference, f"<is><t>{escape(content)}</t></is>", t="inlineStr")


def number(reference: str, value: Any, **attributes: Any) -> str:
    """A cell that holds a number, or a date with `s=1`."""
    return cell(reference, f"<v>{value}</v>", **attributes)


def sheet(*rows: Sequence[str]) -> str:
    """A sheet of rows of cells; an empty one is left out as Excel does."""
    lines = "".join(
        f'<row r="{index}">{"".join(cells)}</row>' for index, cells in enumerate(rows, 1) if cells
    )
    return f"{_HEAD}<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>"


def table(*rows: Sequence[str]) -> str:
    """A sheet of plain text."""
    return sheet(
        *(
            [text(f"{chr(65 + column)}{line}", content) for column, content in enumerate(row)]
            for line, row in enumerate(rows, 1)
        )
    )


def make_workbook(
    sheets: Mapping[str, str],
    *,
    more: Mapping[str, str | bytes] | None = None,
    hidden: Sequence[str] = (),
) -> bytes:
    """A workbook with these sheets, and other files in it."""
    names = list(enumerate(sheets, 1))
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship '
        f'Id="r1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook {_MAIN} xmlns:r="{_LINKS}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{index}" r:id="s{index}"'
            + (' state="hidden"/>' if name in hidden else "/>")
            for index, name in names
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="s{index}" Type="{_LINKS}/worksheet" '
            f'Target="worksheets/sheet{index}.xml"/>'
            for index, _name in names
        )
        + f'<Relationship Id="y" Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{index}.xml": sheets[name] for index, name in names},
        **(more or {}),
    }
    return make_zip(parts)


def make_zip(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def lying_about_size(workbook: bytes, name: str, size: int) -> bytes:
    """The same archive, with another unpacked size of one file in its directory and header."""
    changed = bytearray(workbook)
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        entry = archive.getinfo(name)
    said = size.to_bytes(4, "little")
    changed[entry.header_offset + 22 : entry.header_offset + 26] = said
    at = workbook.index(b"PK\x01\x02")
    while workbook[at + 46 : at + 46 + len(name)] != name.encode():
        at = workbook.index(b"PK\x01\x02", at + 4)
    changed[at + 24 : at + 28] = said
    return bytes(changed)
