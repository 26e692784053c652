"""What is exported reads back, and no spreadsheet runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.datasets.reading import Format, open_source
from studio.datasets.writing import as_text, csv_lines, inert, jsonl_lines, live

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
CELL = TEXT | st.text("=+-@\t\r\n'\",1a", max_size=5)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    CELL | NUMBERS | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.lists(
    st.text("abcäöü_ 1", min_size=1, max_size=6).map(str.strip).filter(bool),
    min_size=1,
    max_size=4,
    unique=True,
).filter(lambda names: all(" ".join(name.split()) == name for name in names))


def read_back(path: Path, text: str, format_: Format) -> list[dict[str, Any]]:
    path.write_text(text, newline="")
    rows: list[dict[str, Any]] = []
    with open_source(path, format_) as source:
        for batch in source.batches():
            assert not batch.odd
            rows.extend(
                {
                    name: column[index]
                    for name, column in zip(batch.columns, batch.cells, strict=True)
                    if column[index] is not None
                }
                for index in range(batch.count)
            )
    return rows


@given(names=NAMES, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_json_lines_read_back_equal(tmp_path: Path, names: list[str], data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(st.dictionaries(st.sampled_from(names), VALUES, min_size=1), max_size=5)
    )
    assert read_back(tmp_path / "t.jsonl", "".join(jsonl_lines(rows)), Format("jsonl")) == rows


@given(names=NAMES, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_csv_reads_back_equal_but_for_the_apostrophes(
    tmp_path: Path, names: list[str], data: st.DataObject
) -> None:
    cells = st.fixed_dictionaries(dict.fromkeys(names, VALUES))
    rows = [
        row
        for row in data.draw(st.lists(cells, max_size=5))
        if len(names) > 1 or as_text(row[names[0]])  # a lone empty cell is an empty line
    ]
    text = "".join(csv_lines(names, rows))
    found = read_back(tmp_path / "t.csv", text, Format("csv"))
    assert [{name: live(cell) for name, cell in row.items()} for row in found] == [
        {name: as_text(value) for name, value in row.items()} for row in rows
    ]


@given(CELL)
def test_no_cell_begins_as_a_formula_but_plain_numbers(text: str) -> None:
    written = inert(text)
    assert live(written) == text
    assert not written.startswith(("=", "@", "\t", "\r", "\n"))
    if written.startswith(("+", "-")):
        assert written[1:2].isdigit()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-3", "-3"),
        ("+3.5e-7", "+3.5e-7"),
        ("-1,234.50", "-1,234.50"),
        ("-3+cmd|' /C calc'!A0", "'-3+cmd|' /C calc'!A0"),
        ("-", "'-"),
        ("\tx", "'\tx"),
        ("'=x", "''=x"),
        ("it's", "it's"),
        ("'tis", "'tis"),
        ("", ""),
    ],
)
def test_formulas_get_an_apostrophe(text: str, written: str) -> None:
    assert inert(text) == written


def test_values_of_every_kind_and_missing_ones_are_written() -> None:
    rows: list[dict[str, Any]] = [{"a": {"b": [1, None]}, "c": True}, {"c": 1.5}]
    assert list(csv_lines(["a", "c"], rows)) == [
        "a,c\r\n", '"{""b"":[1,null]}",true\r\n', ",1.5\r\n",
    ]  # fmt: skip
    assert list(jsonl_lines(rows)) == ['{"a":{"b":[1,null]},"c":true}\n', '{"c":1.5}\n']


def test_lines_come_one_by_one() -> None:
    def endless() -> Any:
        while True:
            yield {"a": "x"}

    lines = csv_lines(["a"], endless())
    assert [next(lines), next(lines)] == ["a\r\n", "x\r\n"]
    assert next(jsonl_lines(endless())) == '{"a":"x"}\n'
