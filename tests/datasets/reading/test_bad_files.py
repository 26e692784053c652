"""Bad files: each gets a sentence that says what to do, and nothing half-written stays."""

from __future__ import annotations

import random
from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.models import Dataset, Upload
from studio.datasets.table import Table
from studio.errors import Invalid
from tests.datasets.builders import (
    keep_upload,
    make_csv,
    make_jsonl,
    nothing_is_left,
    upload_file,
)

NOISE = random.Random(0).randbytes(5000)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "The file is empty"),
        (b" \r\n\n ", "a.csv", "The file is empty"),
        (b"\xef\xbb\xbf", "a.csv", "The file is empty"),
        (b"message,category\n", "a.csv", "column names and no rows under them"),
        (b"PK\x03\x04" + NOISE, "a.csv", "ZIP archive .* Export it as CSV"),
        (b"\x1f\x8b" + NOISE, "a.jsonl", "gzip archive"),
        (NOISE, "a.csv", "not a text file"),
        (b"a,b\n1,2\n", "a.xlsx", "This is no Excel workbook"),
        (b"a,b\n1,2\n", "a.docx", "Upload CSV"),
        (b"a,b\n1,2\n", "noending", "Upload CSV"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", "a.csv", "10,000 columns"),
        (b"hello\nyou\n", "a.jsonl", "No line of the file holds a JSON object"),
    ],
    ids=[
        "empty", "blank", "only a mark", "only a header", "zip", "gzip", "noise",
        "no workbook", "another suffix", "no suffix", "10,000 columns", "no json",
    ],
)  # fmt: skip
def test_it_is_refused_with_a_sentence_and_nothing_stays(
    alice: User, project: Project, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        upload_file(alice, project, content, name)
    assert nothing_is_left()
    assert not AuditEntry.objects.exclude(action="dataset.upload").exists()


def test_too_large_is_refused(alice: User, project: Project, settings: Any) -> None:
    settings.STUDIO_MAX_UPLOAD_MB = 1
    with pytest.raises(Invalid, match="The file has 2 MB; 1 MB is the most"):
        upload_file(alice, project, b"a,b\n" + b"1,2\n" * 500_000)
    assert nothing_is_left()


def test_a_file_that_turns_out_unreadable_later_is_refused_and_removed(
    alice: User, project: Project
) -> None:
    with pytest.raises(Invalid, match="broken quotes"):
        upload_file(alice, project, "a,b\n" + "1,2\n" * 2000 + '"x"y,1\n' * 1001)
    assert nothing_is_left()


def values_of(dataset: Dataset) -> list[dict[str, Any]]:
    return [dict(row.values) for row in Table(dataset).rows()]


def problems_of(upload: Upload) -> set[str]:
    return {item["kind"] for item in upload.report["problems"]["listed"]}


def test_a_wrong_encoding_is_announced(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_csv([("Café", "x", "train")]).encode("cp1252"))
    assert "Windows-1252" in upload.format["problems"][0]["done"]
    assert "Café" in str(upload.report["preview"][0])


def test_ragged_rows_are_listed(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, "message,note\nhi\nyou,a,b\nok,x\n")
    assert problems_of(upload) == {"short", "long"}
    assert (upload.report["kept"], upload.report["left_out"]) == (2, 1)


def test_a_file_without_column_names_asks(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, "Where is it?,3\nWhy?,4\n")
    assert "The first row looks like data" in upload.report["blockers"][0]
    with pytest.raises(Invalid, match="looks like data"):
        keep_upload(alice, upload)


def test_duplicate_and_empty_column_names_are_changed_and_told(
    alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, "text,text,\nx,y,z\n")
    assert upload.report["columns"] == ["text", "text 2", "column 3"]
    assert problems_of(upload) == {"columns"}
    assert values_of(keep_upload(alice, upload)) == [{"text": "x", "text 2": "y", "column 3": "z"}]


def test_nul_characters_do_not_reach_the_database(alice: User, project: Project) -> None:
    dataset = keep_upload(alice, upload_file(alice, project, "a,b\nx\0y,z\n"))
    assert values_of(dataset) == [{"a": "xy", "b": "z"}]


def test_broken_lines_of_json_are_listed_and_the_rest_is_kept(
    alice: User, project: Project
) -> None:
    content = make_jsonl({"a": 1, "b": {"c": [1]}}) + '{"a": NaN, "c": "x"}\n{"a":\n7\n'
    upload = upload_file(alice, project, content, "a.jsonl")
    assert (upload.report["kept"], upload.report["left_out"]) == (2, 2)
    assert [item["line"] for item in upload.report["problems"]["listed"]] == [2, 3, 4]
    dataset = keep_upload(alice, upload, leave_out=True)
    assert values_of(dataset) == [{"a": 1, "b": {"c": [1]}}, {"c": "x"}]


def test_problems_are_listed_up_to_a_bound_and_counted_beyond(
    alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, "a,b\n" + "1,2,3\n" * 1000 + "1,2\n")
    assert len(upload.report["problems"]["listed"]) == 200
    assert upload.report["problems"]["total"] == 1000
