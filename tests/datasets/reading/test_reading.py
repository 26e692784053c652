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
from studio.datasets.reading import BATCH_SIZE, Format, delimited, lines, open_source
from studio.datasets.reading.sniffing import MAX_CELL
from studio.errors import Invalid
from tests.datasets.builders import make_jsonl, read_all, rows_of

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
    for kind in ("csv", "jsonl", "json"):
        try:
            _columns, rows = read_all(tmp_path / "t", content, Format(kind, "cp1252"))
        except Invalid:
            assert kind == "json" or content.strip(b"\0\r\n") == b""
        else:
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
    assert rows[0].problems[0].line == 2


def test_an_unclosed_quote_at_the_end_costs_one_row(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", 'a,b\n1,2\n3,"four')
    assert rows[-1].values == {"a": "3", "b": '"four'}
    assert rows[-1].problems[0].kind == "quote"


def test_a_quote_that_is_not_doubled_stays_in_the_cell(tmp_path: Path) -> None:
    _columns, [row] = read_all(tmp_path / "t", 'a,b\n"say "hi" now","x, y"\n')
    assert row.values == {"a": 'say "hi" now', "b": "x, y"}
    assert row.problems[0].kind == "quote"


def test_a_multi_line_cell_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", 'a,b\n"1\n2\n3",x\n4,y,z\n')
    assert [row.values for row in rows] == [{"a": "1\n2\n3", "b": "x"}, {}]
    assert [(problem.row, problem.line) for problem in rows[1].problems] == [(2, 5)]


def test_a_huge_cell_costs_one_row(tmp_path: Path) -> None:
    content = f"a,b\n1,2\n{'x' * (MAX_CELL + 1)},2\n3,4\n"
    _columns, rows = read_all(tmp_path / "t", content)
    assert [row.dropped for row in rows] == [False, True, False]
    assert "longer than 1,000,000 characters" in rows[1].problems[0].what


def test_a_line_that_is_far_too_long_costs_one_row(tmp_path: Path) -> None:
    content = "a,b\n1,2\n" + "1," * reading.MAX_LINE + "\n3,4\n"
    _columns, rows = read_all(tmp_path / "t", content)
    assert [row.values for row in rows] == [{"a": "1", "b": "2"}, {}, {"a": "3", "b": "4"}]
    assert [problem.kind for problem in rows[1].problems] == ["huge"]


def test_a_file_that_is_one_line_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="The first row cannot be read"):
        read_all(tmp_path / "t", "1," * reading.MAX_LINE)


@pytest.mark.parametrize("length", [MAX_CELL // 10, 2 * MAX_CELL, 10 * MAX_CELL])
def test_a_huge_cell_with_lines_in_it_costs_one_row(tmp_path: Path, length: int) -> None:
    cell = ("line, with quotes\n" * (length // 20)) + "x" * (length % 7)
    content = f'a,b\n1,2\n"{cell}",2\n3,4\n"5","6\n6"\n'
    _columns, rows = read_all(tmp_path / "t", content)
    assert [len(row.values) for row in rows] == [2, 0 if length > MAX_CELL else 2, 2, 2]
    assert rows[2].values == {"a": "3", "b": "4"}
    assert rows[3].values == {"a": "5", "b": "6\n6"}


def test_a_quote_that_is_forgotten_before_a_long_rest_costs_one_row(tmp_path: Path) -> None:
    rest = "text without quotes,2\n" * (MAX_CELL // 10)
    _columns, rows = read_all(tmp_path / "t", f'a,b\n1,"two\n{rest}"x",3\n')
    assert rows[0].values == {"a": "1", "b": '"two'}
    assert rows[0].problems[0].kind == "quote"
    assert len(rows) == MAX_CELL // 10 + 2
    assert not any(row.problems for row in rows[1:])


def test_too_many_broken_quotes_end_the_reading(tmp_path: Path) -> None:
    content = "a,b\n" + '"x"y,1\n' * (delimited.MAX_REPAIRS + 1)
    with pytest.raises(Invalid, match="Is the delimiter right"):
        read_all(tmp_path / "t", content)


def test_nul_characters_are_removed_and_told(tmp_path: Path) -> None:
    _columns, rows = read_all(tmp_path / "t", "a,b\nx\0y,1\nz,2\n")
    assert rows[0].values["a"] == "xy"
    assert [problem.kind for problem in rows[0].problems] == ["nul"]
    assert not rows[1].problems


def test_empty_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("a,b\n\n1,2\n\n\n3,4,5\n")
    with open_source(path, Format("csv")) as source:
        rows = rows_of(source)
        assert [row.values for row in rows] == [{"a": "1", "b": "2"}, {}]
        assert rows[1].problems[0].line == 6
        assert source.blank_lines == 3


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
        ('{"a": 1, "a": 2}', "The name “a” stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": "' + "x" * MAX_CELL + '"}', "longer than 1,000,000 characters"),
        ('{"' + "x" * 201 + '": 1}', "a name of more than 200 characters"),
    ],
    ids=["cut off", "list", "value", "twice", "deep", "huge", "name"],
)
def test_a_broken_line_is_left_out_and_the_others_stay(
    tmp_path: Path, line: str, what: str
) -> None:
    content = f'{{"a": "before"}}\n{line}\n{{"a": "after"}}\n'
    _columns, rows = read_all(tmp_path / "t", content, JSONL)
    assert [row.dropped for row in rows] == [False, True, False]
    assert what in rows[1].problems[0].what
    assert rows[2].values == {"a": "after"}


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("NaN", "NaN is not a number in JSON."),
        ("-Infinity", "-Infinity is not a number in JSON."),
        ("1e999", "1e999 is too large a number."),
        ("1" * 5000, f"{'1' * 40}… is too large a number."),
    ],
    ids=["nan", "infinity", "float", "int"],
)
@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_a_number_that_json_does_not_have_stays_empty_and_is_told(
    tmp_path: Path, kind: Any, number: str, what: str
) -> None:
    line = f'{{"a": {number}, "b": [{number}, 2]}}'
    content = f"[{line}]" if kind == "json" else line
    columns, [row] = read_all(tmp_path / "t", content, Format(kind))
    assert columns == ["a", "b"]
    assert row.values == {"b": [None, 2]}
    assert [problem.what for problem in row.problems] == [what]
    assert not row.dropped


def test_what_postgres_cannot_hold_is_removed_from_json(tmp_path: Path) -> None:
    content = r'{"a": "x\u0000y", "b": ["\ud800z"], "": 1}' + "\n"
    columns, [row] = read_all(tmp_path / "t", content, JSONL)
    assert row.values == {"a": "xy", "b": ["z"], "unnamed": 1}
    assert columns == ["a", "b", "unnamed"]
    assert row.problems[0].kind == "nul"


def test_a_line_of_json_with_too_many_names_is_refused(tmp_path: Path) -> None:
    content = make_jsonl({f"c{n}": n for n in range(1001)})
    with pytest.raises(Invalid, match="1,000 is the most"):
        read_all(tmp_path / "t", content, JSONL)


def test_columns_that_come_late_stand_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(make_jsonl(*[{"a": n} for n in range(600)], {"b": 1, "a": 2}))
    with open_source(path, JSONL) as source:
        assert source.columns == ["a"]
        first, second = source.batches()
    assert (first.columns, second.columns) == (("a",), ("a", "b"))
    assert list(second.cells[1]) == [None] * 88 + [1]


@given(
    cells=st.lists(
        st.tuples(TEXT | st.text(',"\n\r a', max_size=6), st.sampled_from(["", "x", "y, z"])),
        min_size=1,
        max_size=60,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    copies=st.sampled_from([1, 40, 400]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_fast_road_reads_what_csv_reads(
    tmp_path: Path, cells: list[tuple[str, str]], end: str, copies: int
) -> None:
    # `csv` puts no quotes around the line end that it does not write itself.
    rows = [[a if "\r" in end else a.replace("\r", ""), b] for a, b in cells] * copies
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([["a", "b"], *rows])
    _columns, read = read_all(tmp_path / "t", text.getvalue())
    assert [list(row.values.values()) for row in read] == rows
    assert not any(row.problems for row in read)


@given(
    text=st.text(st.sampled_from('ab,,"""\n\n\r\0é'), max_size=120),
    piece=st.sampled_from([1, 5, 16, lines.PIECE]),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400
)
def test_the_fast_road_and_the_careful_one_lead_to_the_same_rows(
    tmp_path: Path, text: str, piece: int
) -> None:
    content = f"a,b\n{text}\n"

    def give_all_back(reader: Any, found: str, _gathering: Any) -> None:
        reader._lines.give_back(lines.split_lines(found))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE", piece)
        fast = read_all(tmp_path / "t", content)
        patch.setattr(delimited.Delimited, "_read_fast", give_all_back)
        assert fast == read_all(tmp_path / "t", content)


def test_rows_around_a_broken_one_are_read_and_numbered(tmp_path: Path) -> None:
    lines = [f'{n},"m, {n}"' for n in range(5000)]
    lines[1234] = '1234,"m" x'
    lines[4000] = "4000"
    lines[4500] = '4500,"two\nlines"'
    lines[4700] = "4700,a,b"
    _columns, rows = read_all(tmp_path / "t", "\n".join(["a,b", *lines]))
    assert len(rows) == 5000
    assert all(row.values.get("a", str(n)) == str(n) for n, row in enumerate(rows))
    odd = [(p.row, p.line, p.kind) for row in rows for p in row.problems]
    assert odd == [(1235, 1236, "quote"), (4001, 4002, "short"), (4701, 4703, "long")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_batch_is_not_larger_than_a_block(tmp_path: Path, kind: Any) -> None:
    rows = [{"a": "x" * (n % 7 * 1000), "b": str(n)} for n in range(900)]
    rows[500]["a"] = "y" * (2 * BATCH_SIZE)
    text = {
        "csv": "a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in rows),
        "jsonl": make_jsonl(*rows),
        "json": json.dumps(rows),
    }[kind]
    path = tmp_path / "t"
    path.write_text(text)
    with open_source(path, Format(kind)) as source:
        for batch in source.batches():
            size = sum(len(cell) for column in batch.cells for cell in column)
            assert size <= BATCH_SIZE or batch.count == 1
    assert [row.values for row in read_all(path, text, Format(kind))[1]] == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('[{"a": 1}, {"b": [2]}]', [{"a": 1}, {"b": [2]}]),
        ('{"data": [{"a": 1}]}', [{"a": 1}]),
        ('{"columns": ["a", "b"], "index": [0], "data": [[1, "x"]]}', [{"a": 1, "b": "x"}]),
        ('\n[ {"a"\n:1 } ] \n', [{"a": 1}]),
        ('[{"a": "é☃😀\\n"}]', [{"a": "é☃😀\n"}]),
    ],
)
def test_json_is_a_list_of_objects_or_has_one(
    tmp_path: Path, text: str, rows: list[dict[str, Any]]
) -> None:
    _columns, read = read_all(tmp_path / "t", text, Format("json"))
    assert [row.values for row in read] == rows


def test_json_is_read_in_pieces_with_its_lines(tmp_path: Path) -> None:
    items: list[Any] = [{"a": "x" * (n * 37 % 5000), "n": -n / 3} for n in range(500)]
    items[321] = 7
    _columns, rows = read_all(tmp_path / "t", json.dumps(items, indent=1), Format("json"))
    assert [row.values for row in rows] == [*items[:321], {}, *items[322:]]
    assert [(p.row, p.line) for row in rows for p in row.problems] == [(322, 321 * 4 + 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7", "The file holds a single value"),
        ("[]", "holds no list of objects"),
        ("[1, 2]", "holds no list of objects"),
        ("{}", "one object and no list of objects"),
        ('{"a": 1}', "one object and no list of objects"),
        ('{"a": [{"x": 1}], "b": [{"y": 1}]}', "two lists of rows, “a” and “b”"),
        ('[{"a": 1}\n{"a": 2}]', "on line 2, “,” or “]” is missing"),
        ('[{"a": 1},\n{"a": 2', "on line 2, expecting"),
        ('[{"a": 1}', "on line 1, it breaks off"),
        ('[{"a": 1}]\n[{"a": 2}]', "On line 2 something stands behind the end"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": {"0": 1}, "b": {"0": 2}}', "one object and no list of objects"),
    ],
)
def test_json_that_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_all(tmp_path / "t", text, Format("json"))


def test_what_stands_beside_the_rows_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text('{"version": 1, "tags": ["x"], "rows": [{"a": 1}], "next": null}')
    with open_source(path, Format("json")) as source:
        assert [row.values for row in rows_of(source)] == [{"a": 1}]
        assert [p.what for p in source.problems] == [
            "Beside the rows in “rows” the file has “version”, “tags”, “next”."
        ]
