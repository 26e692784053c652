"""Parquet files, workbooks and archives: in batches, in a process of its own, within limits."""

from __future__ import annotations

import gzip
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from arro3.core import DataType

from studio.datasets.reading import BATCH_ROWS, BATCH_SIZE, Format, apart, open_source, packed
from studio.datasets.reading.footer import row_count
from studio.datasets.reading.packed import open_bytes, unpacked_file
from studio.errors import Invalid
from tests.datasets.builders import make_csv, rows_of
from tests.datasets.reading.zoo.parquets import make_parquet, make_texts, repeated, values
from tests.datasets.reading.zoo.workbooks import make_workbook, table, text

PARQUET, XLSX = Format("parquet"), Format("xlsx")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_parquet_comes_in_batches_over_its_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "t", make_texts(2000, max_row_group_size=300))
    with open_source(path, PARQUET) as source:
        batches = list(source.batches())
    assert [batch.count for batch in batches] == [512, 512, 512, 464]
    assert [batch.start for batch in batches] == [1, 513, 1025, 1537]
    assert [batch.part for batch in batches] == [0.256, 0.512, 0.768, 1.0]
    assert [text for batch in batches for text in batch.cells[0]] == [
        f"text {n}" for n in range(2000)
    ]


def test_large_rows_of_parquet_make_small_batches(tmp_path: Path) -> None:
    texts = ["x" * (n % 5 * 10_000) for n in range(700)]
    texts[333] = "y" * (2 * BATCH_SIZE)
    path = write(tmp_path / "t", make_parquet({"a": values(DataType.string(), *texts)}))
    with open_source(path, PARQUET) as source:
        batches = list(source.batches())
    assert [text for batch in batches for text in batch.cells[0]] == texts
    assert all(sum(map(len, b.cells[0])) <= BATCH_SIZE or b.count == 1 for b in batches)
    assert all(first.start + first.count == second.start for first, second in pairwise(batches))


def test_problems_of_parquet_know_their_rows(tmp_path: Path) -> None:
    numbers = [float("inf") if n in (7, 1300) else float(n) for n in range(1400)]
    path = write(tmp_path / "t", make_parquet({"a": values(DataType.float64(), *numbers)}))
    with open_source(path, PARQUET) as source:
        found = [(p.row, p.column) for row in rows_of(source) for p in row.problems]
    assert found == [(8, "a"), (1301, "a")]


@pytest.mark.parametrize("count", [0, 1, 2000])
def test_the_footer_says_how_many_rows_there_are(tmp_path: Path, count: int) -> None:
    assert row_count(write(tmp_path / "t", make_texts(count))) == count


@pytest.mark.parametrize("content", [b"", b"PAR1", bytes(100), b"\xff" * 100 + b"\x40\0\0\0PAR1"])
def test_a_footer_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    assert row_count(write(tmp_path / "t", content)) == 0


def test_a_reader_that_is_left_early_leaves_no_process(tmp_path: Path) -> None:
    path = write(tmp_path / "t", make_texts(200_000))
    with open_source(path, PARQUET) as source:
        next(source.batches())
        [child] = children_of(os.getpid())
    assert child not in children_of(os.getpid())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_child_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_SECRET_KEY", "hush")
    path = write(tmp_path / "t", make_texts(200_000))
    with open_source(path, PARQUET) as source:
        next(source.batches())
        [child] = children_of(os.getpid())
        assert "hush" not in Path(f"/proc/{child}/environ").read_text()


def test_a_child_with_too_little_memory_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t", repeated("x" * 900_000, 400))
    monkeypatch.setattr(apart, "MAX_MEMORY", 256 * 1024**2)
    with pytest.raises(Invalid, match="takes more than"), open_source(path, PARQUET) as source:
        list(source.batches())


def test_a_workbook_comes_in_batches_with_its_lines(tmp_path: Path) -> None:
    rows = [(f"row {n}", str(n)) for n in range(1200)]
    sheet = table(("a", "b"), *rows).replace("row 1100", "row &#x1F600;")
    path = write(tmp_path / "t", make_workbook({"S": sheet}))
    with open_source(path, XLSX) as source:
        read = rows_of(source)
    assert [row.values["b"] for row in read] == [b for _a, b in rows]
    assert read[1100].values["a"] == "row 😀"


def test_another_sheet_can_be_read(tmp_path: Path) -> None:
    sheets = {"One": table(("a",), ("x",)), "Two & more": table(("b",), ("y",), ("z",))}
    path = write(tmp_path / "t", make_workbook(sheets))
    with open_source(path, Format("xlsx", sheet="Two & more")) as source:
        assert [row.values for row in rows_of(source)] == [{"b": "y"}, {"b": "z"}]
    with (
        pytest.raises(Invalid, match="has no sheet “Three”"),
        open_source(path, Format("xlsx", sheet="Three")),
    ):
        pass


def test_the_first_row_of_a_sheet_can_be_data(tmp_path: Path) -> None:
    path = write(tmp_path / "t", make_workbook({"S": table(("1", "x"), ("2", "y"))}))
    with open_source(path, Format("xlsx", header="data")) as source:
        assert source.columns == ["column 1", "column 2"]
        assert [row.values["column 1"] for row in rows_of(source)] == ["1", "2"]


def test_problems_of_a_sheet_know_their_lines(tmp_path: Path) -> None:
    cells = [text("A1", "a"), '</row><row r="7"><c r="A7" t="e"><v>#N/A</v></c>']
    sheet = table(("a",)).replace(text("A1", "a"), "".join(cells))
    path = write(tmp_path / "t", make_workbook({"S": sheet}))
    with open_source(path, XLSX) as source:
        [row] = rows_of(source)
        assert [(p.row, p.line, p.column) for p in row.problems] == [(1, 7, "a")]
        assert source.blank_lines == 5


@pytest.mark.parametrize(
    ("compression", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_archives_are_read_as_streams(tmp_path: Path, compression: Any, pack: Any) -> None:
    rows = [(f"message {n}", "x") for n in range(50_000)]
    path = write(tmp_path / "t", pack(make_csv(rows, header=("a", "b")).encode()))
    parts = []
    with open_source(path, Format("csv", compression=compression)) as source:
        for batch in source.batches():
            parts.append(batch.part)
            assert batch.count <= BATCH_ROWS
    assert batch.cells[0][-1] == "message 49999"
    assert parts == sorted(parts)
    assert parts[0] < 0.9
    assert parts[-1] == 1.0


def test_an_archive_may_not_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_UNPACKED", 1024**2)
    path = write(tmp_path / "t", gzip.compress(os.urandom(2 * 1024**2).hex().encode()))
    with open_bytes(path, "gzip") as file, pytest.raises(Invalid, match="unpacks to more than"):
        file.stream.read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")
def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t", gzip.compress(make_texts()))
    real = packed._unpack
    monkeypatch.setattr(packed, "_unpack", lambda a, b, _copy: real(a, b, Path("/dev/full")))
    with pytest.raises(Invalid, match="no room on the disk"), unpacked_file(path, "gzip"):
        pass
