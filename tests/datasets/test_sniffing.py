"""What kind of text a file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.datasets import sniffing
from studio.errors import Invalid


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_and_utf8_are_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t"
    path.write_bytes("naïve,☃\n1,2\n".encode(encoding))
    assert sniffing.detect_encoding(path) == (encoding, [])
    assert sniffing.read_head(path, encoding) == "naïve,☃\n1,2\n"


def test_what_is_not_utf8_is_read_as_windows_1252_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("a,b\nx,y\ncafé,2\n".encode("cp1252"))
    encoding, [problem] = sniffing.detect_encoding(path)
    assert encoding == "cp1252"
    assert "line 3" in problem.what
    assert "Windows-1252" in problem.done


def test_a_bad_byte_behind_the_first_block_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("€\n".encode() * 600_000 + b"\xe9\x81\n")
    encoding, [problem, holes] = sniffing.detect_encoding(path)
    assert encoding == "cp1252"
    assert "(line 600,001)" in problem.what
    assert "mean nothing" in holes.what


def test_utf16_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes("a,b\n1,2\n".encode("utf-16") + b"\x00")
    with pytest.raises(Invalid, match="begins as UTF-16"):
        sniffing.detect_encoding(path)


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
