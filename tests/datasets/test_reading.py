"""The readers: what was written comes back, and what is broken is told row by row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.datasets import reading
from studio.datasets.sniffing import MAX_CELL, Format
from studio.errors import Invalid
from tests.datasets.builders import make_jsonl, read_all

# Everything but NUL and lone surrogates: those no file should hold.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
JSONL = Format("jsonl")


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 5))
    return draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8))


@given(
    rows=tables(),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_csv_writes_reads_back_equal(
    tmp_path: Path, rows: list[list[str]], delimiter: str, encoding: str, quoting: Any
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    columns = [f"c{n}" for n in range(len(rows[0]))]
    writer.writerows([columns, *rows])
    found, read = read_all(
        tmp_path / "t.csv", text.getvalue().encode(encoding), Format("csv", encoding, delimiter)
    )
    assert found == columns
    assert [list(row.values.values()) for row in read] == rows
    assert not any(row.problems for row in read)
    assert [row.number for row in read] == list(range(1, len(rows) + 1))


@given(content=st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_content_breaks_the_reader(tmp_path: Path, content: bytes) -> None:
    for kind in ("csv", "jsonl"):
        _columns, rows = read_all(tmp_path / "t", content, Format(kind, "cp1252"))
        json.dumps([row.values for row in rows], allow_nan=False).encode()


def test_a_row_with_too_few_cells_lacks_them(tmp_path: Path) -> None:
    _columns, [row] = read_all(tmp_path / "t", "a,b,c\n1\n")
    assert row.values == {"a": "1"}
    assert row.problems[0].kind == "short"
    assert (row.problems[0].row, row.problems[0].line, row.problems[0].column) == (1, 2, "b")
    assert not row.dropped


def test_a_row_with_too_many_cells_is_left_out(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", "a,b\n1,2,3\n1,2,,\n")
    assert [row.dropped for row in rows] == [True, False]
    assert "first cell too many is “3”" in rows[0].problems[0].what


def test_an_unclosed_quote_costs_one_row(tmp_path: Path) -> None:
    content = 'a,b\n1,"two\n3,4\n5,"six"\n7,8\n'
    _columns, rows = read_all(tmp_path / "t", content)
    assert [tuple(row.values.values()) for row in rows] == [
        ("1", '"two'), ("3", "4"), ("5", "six"), ("7", "8"),
    ]  # fmt: skip
    assert [bool(row.problems) for row in rows] == [True, False, False, False]
    assert [row.line for row in rows] == [2, 3, 4, 5]


def test_an_unclosed_quote_at_the_end_costs_one_row(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", 'a,b\n1,2\n3,"four')
    assert rows[-1].values == {"a": "3", "b": '"four'}
    assert rows[-1].problems[0].kind == "quote"


def test_a_quote_that_is_not_doubled_stays_in_the_cell(tmp_path: Path) -> None:
    _columns, [row] = read_all(tmp_path / "t", 'a,b\n"say "hi" now","x, y"\n')
    assert row.values == {"a": 'say "hi" now', "b": "x, y"}
    assert row.problems[0].kind == "quote"


def test_a_multi_line_cell_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", 'a,b\n"1\n2\n3",x\n4,y\n')
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 5)]


def test_a_huge_cell_costs_one_row(tmp_path: Path) -> None:
    content = f"a,b\n1,2\n{'x' * (MAX_CELL + 1)},2\n3,4\n"
    _columns, rows = read_all(tmp_path / "t", content)
    assert [row.dropped for row in rows] == [False, True, False]
    assert "longer than 1,000,000 characters" in rows[1].problems[0].what


def test_a_file_that_is_one_line_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="longer than"):
        read_all(tmp_path / "t", "a,b\n" + "1," * reading.MAX_LINE)


def test_too_many_broken_quotes_end_the_reading(tmp_path: Path) -> None:
    content = "a,b\n" + '"x"y,1\n' * (reading.MAX_REPAIRS + 1)
    with pytest.raises(Invalid, match="Is the delimiter right"):
        read_all(tmp_path / "t", content)


def test_nul_characters_are_removed_and_told(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", "a,b\nx\0y,1\nz,2\n")
    assert rows[0].values["a"] == "xy"
    assert [problem.kind for problem in rows[0].problems] == ["nul"]
    assert not rows[1].problems


def test_empty_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("a,b\n\n1,2\n\n\n3,4\n")
    with reading.open_table(path, Format("csv")) as table:
        assert len(list(table)) == 2
        assert table.blank_lines == 3


def test_the_first_row_can_be_data(tmp_path: Path) -> None:
    columns, rows = read_all(tmp_path / "t", "1,2\n3,4\n", Format("csv", header="data"))
    assert columns == ["column 1", "column 2"]
    assert [list(row.values.values()) for row in rows] == [["1", "2"], ["3", "4"]]


def test_json_objects_come_back_with_nested_values(tmp_path: Path) -> None:
    items = [{"a": 1, "b": {"c": [1, None, "é"]}}, {"a": "x", "d": True}]
    columns, rows = read_all(tmp_path / "t", make_jsonl(*items), JSONL)
    assert [row.values for row in rows] == items
    assert columns == ["a", "b", "d"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"a": 1', "It is not JSON"),
        ("[1, 2]", "It is a list"),
        ("3", "It is a single value"),
        ('{"a": NaN}', "NaN is not a number in JSON"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1e999}', "1e999 is too large"),
        ('{"a": 1, "a": 2}', "The name “a” stands twice"),
        ('{"a": ' + "1" * 5000 + "}", "digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": "' + "x" * MAX_CELL + '"}', "longer than 1,000,000 characters"),
    ],
    ids=["cut off", "list", "value", "nan", "infinity", "float", "twice", "int", "deep", "huge"],
)
def test_a_broken_line_is_left_out_and_the_others_stay(
    tmp_path: Path, line: str, what: str
) -> None:
    content = f'{{"a": "before"}}\n{line}\n{{"a": "after"}}\n'
    _columns, rows = read_all(tmp_path / "t", content, JSONL)
    assert [row.dropped for row in rows] == [False, True, False]
    assert what in rows[1].problems[0].what
    assert rows[2].values == {"a": "after"}


def test_what_postgres_cannot_hold_is_removed_from_json(tmp_path: Path) -> None:
    content = r'{"a": "x\u0000y", "b": ["\ud800z"], "": 1}' + "\n"
    columns, [row] = read_all(tmp_path / "t", content, JSONL)
    assert row.values == {"a": "xy", "b": ["z"], "unnamed": 1}
    assert columns == ["a", "b", "unnamed"]
    assert row.problems[0].kind == "nul"


def test_a_line_of_json_with_too_many_names_is_refused(tmp_path: Path) -> None:
    content = make_jsonl({f"c{n}": n for n in range(501)})
    with pytest.raises(Invalid, match="500 is the most"):
        read_all(tmp_path / "t", content, JSONL)
