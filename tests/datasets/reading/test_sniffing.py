"""What kind of text a file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.datasets.reading import Format, detect, kind_of, sniffing
from studio.datasets.reading.encodings import detect_encoding
from studio.errors import Invalid


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_and_utf8_are_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t"
    path.write_bytes("naïve,☃\n1,2\n".encode(encoding))
    assert detect_encoding(path) == (encoding, [])


def test_what_is_not_utf8_is_read_as_windows_1252_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("a,b\nx,y\ncafé,2\n".encode("cp1252"))
    encoding, [problem] = detect_encoding(path)
    assert encoding == "cp1252"
    assert "line 3" in problem.what
    assert "Windows-1252" in problem.done


def test_a_bad_byte_behind_the_first_block_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("€\n".encode() * 600_000 + b"\xe9\x81\n")
    encoding, [problem, holes] = detect_encoding(path)
    assert encoding == "cp1252"
    assert "(line 600,001)" in problem.what
    assert "mean nothing" in holes.what


def test_utf16_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("a,b\n1,2\n".encode("utf-16") + b"\x00")
    with pytest.raises(Invalid, match="begins as UTF-16"):
        detect_encoding(path)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,1;4,2\n", ";"),
        ("a\tb\nhello, you\tx\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("message\nHello, you; there\n", ","),
        ('"a,b";c\n"1,2";3\n', ";"),
        ("message;category\nOne, two, three;x\nFour, five;y\n", ";"),
        ("", ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert sniffing.detect_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("message,category\nHi,x\n", "names"),
        ("Hi there,4\nHello,5\n", ""),
        ("Hi there,billing\nHello,billing\n", ""),
        ("2026-01-01,x\n2026-01-02,y\n", ""),
        ("a,,b\n1,,2\n", "names"),
    ],
)
def test_a_first_row_that_looks_like_data_is_doubted(text: str, header: str) -> None:
    assert sniffing.detect_header(sniffing.parse_head(text, ",")) == header


def test_column_names_become_unique_and_not_empty() -> None:
    names, problems = sniffing.name_columns(["a", "a", " ", "a 2", " b\n c "])
    assert names == ["a", "a 3", "column 3", "a 2", "b c"]
    assert [problem.what for problem in problems] == [
        "The column name “a” stands twice.",
        "Column 3 has no name.",
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_found_and_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t"
    path.write_bytes("message,category\nCafé ☃,x\n".encode(encoding))
    found, [problem] = detect_encoding(path)
    assert found == encoding
    assert "It has no mark" in problem.what


def test_a_file_with_some_nul_bytes_is_still_utf8(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"a,b\nx\0y,1\n")
    assert detect_encoding(path) == ("utf-8", [])


@pytest.mark.parametrize(
    ("filename", "found"),
    [
        ("a.csv", ("csv", "")),
        ("A.TSV", ("csv", "")),
        ("a.b.jsonl.gz", ("jsonl", "gzip")),
        ("a.ndjson.zst", ("jsonl", "zstd")),
        ("a.json", ("json", "")),
        ("a.parquet.zst", ("parquet", "zstd")),
        ("a.XLSM", ("xlsx", "")),
    ],
)
def test_the_name_says_the_kind(filename: str, found: tuple[str, str]) -> None:
    assert kind_of(filename) == found


@pytest.mark.parametrize("filename", ["a", "a.gz", "a.docx", "a.csv.zip", ".csv.bak", ""])
def test_other_names_are_refused(filename: str) -> None:
    with pytest.raises(Invalid, match="is not a file that can be read here"):
        kind_of(filename)


@pytest.mark.parametrize(
    ("filename", "text", "kind"),
    [
        ("a.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", '{"data": [{"a": 1}]}', "json"),
        ("a.json", '{\n"data": [{"a": 1}]}', "json"),
        ("a.jsonl", '[{"a": 1}]', "json"),
        ("a.jsonl", '{\n "data": [\n  {"a": 1}]}', "json"),
        ("a.jsonl", '{"a": 1}\n', "jsonl"),
    ],
)
def test_json_and_json_lines_are_told_by_what_they_hold(
    tmp_path: Path, filename: str, text: str, kind: str
) -> None:
    path = tmp_path / "t"
    path.write_text(text)
    assert detect(path, filename)[0].kind == kind


def test_a_format_is_json_and_back() -> None:
    format_ = Format("xlsx", "utf-16", ";", "data", "gzip", "Sheet 2")
    assert Format.from_dict(format_.to_dict() | {"columns": ["a"]}) == format_
