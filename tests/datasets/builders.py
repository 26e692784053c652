"""Files to upload, and shortcuts through the upload pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from studio.accounts.models import Project
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading import BATCH_ROWS, Format, Source, open_source
from studio.datasets.reading.problems import Problem
from studio.datasets.uploading import receiving, uploads
from studio.datasets.uploading.choices import Choices

HEADER = ("message", "category", "split")
ROWS = (
    ("Where is my parcel?", "shipping", "train"),
    ("I was charged twice.", "billing", "train"),
    ("Send me the invoice.", "billing", "dev"),
    ("The box is damaged.", "shipping", "test"),
)


def make_csv(rows: Any = ROWS, header: Any = HEADER, delimiter: str = ",") -> str:
    """Plain CSV text; cells must not hold the delimiter."""
    lines = [header, *rows] if header else list(rows)
    return "".join(delimiter.join(map(str, line)) + "\n" for line in lines)


def make_labelled_csv(count: int = 100) -> str:
    """Numbered messages of two labels, three quarters billing, without a split column."""
    rows = [(f"message {n}", "shipping" if n % 4 == 0 else "billing") for n in range(count)]
    return make_csv(rows, header=("message", "category"))


def make_jsonl(*objects: Any) -> str:
    """An object a line."""
    return "".join(json.dumps(item) + "\n" for item in objects)


def make_file(content: str | bytes, name: str = "messages.csv") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    data = content if isinstance(content, bytes) else content.encode()
    return SimpleUploadedFile(name, data)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of a file, with what is wrong with it."""

    number: int
    values: dict[str, Any]
    """Without the columns in which it has nothing."""
    problems: tuple[Problem, ...] = ()

    @property
    def dropped(self) -> bool:
        """It is to be left out."""
        return any(problem.drops for problem in self.problems)


def rows_of(source: Source) -> list[ReadRow]:
    """All rows of an open file; looks at the form of the batches on the way."""
    rows: list[ReadRow] = []
    part = 0.0
    for batch in source.batches():
        assert batch.start == len(rows) + 1
        assert 0 < batch.count <= BATCH_ROWS
        assert {len(column) for column in batch.cells} <= {batch.count}
        assert list(batch.columns) == source.columns[: len(batch.columns)]
        assert set(batch.odd) <= set(range(batch.count))
        assert part <= batch.part <= 1
        part = batch.part
        for index in range(batch.count):
            cells = zip(batch.columns, (column[index] for column in batch.cells), strict=True)
            values = {name: value for name, value in cells if value is not None}
            problems = batch.odd.get(index, ())
            assert all(problem.row == batch.start + index for problem in problems)
            rows.append(ReadRow(batch.start + index, values, problems))
    return rows


def read_all(
    path: Path, content: str | bytes, format_: Format | None = None
) -> tuple[list[str], list[ReadRow]]:
    """Columns and rows of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_source(path, format_ or Format("csv")) as source:
        rows = rows_of(source)
        return source.columns, rows


def upload_file(
    actor: Any, project: Project, content: str | bytes, name: str = "messages.csv"
) -> Upload:
    """Upload through the service."""
    return receiving.receive_upload(actor=actor, project=project, file=make_file(content, name))


def keep_upload(actor: Any, upload: Upload, *, leave_out: bool = False) -> Dataset:
    """Keep an upload as it was checked."""
    upload = uploads.keep(
        actor=actor, upload=upload, checked=uploads.choices_hash(upload), leave_out=leave_out
    )
    assert upload.dataset is not None, upload.error
    return upload.dataset


def post_file(
    client: Client, content: str | bytes, name: str = "messages.csv", **extra: Any
) -> Any:
    """Upload through the page."""
    url = "/p/support/datasets/upload/"
    return client.post(url, {"file": make_file(content, name)}, **extra)


def mapping_form(upload: Upload, action: str = "keep", **changes: Any) -> dict[str, Any]:
    """What the mapping page's form sends."""
    choices = Choices.from_dict(upload.choices)
    form = {**choices.to_dict(), "checked": uploads.choices_hash(upload), "action": action}
    mapping = form.pop("mapping") if choices.signature else form.pop("mapping") and {}
    return {**form, **{f"map-{field}": column for field, column in mapping.items()}, **changes}


def stored_files() -> list[str]:
    """Names of the uploaded files that lie on disk."""
    folder = Path(settings.STUDIO_DATA_DIR) / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def nothing_is_left() -> bool:
    """No dataset, upload or file."""
    return not (Dataset.everything.exists() or Upload.objects.exists() or stored_files())
