"""`manage.py import_dataset`: the same as the page, on the terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import receiving
from tests import builders
from tests.datasets.builders import make_csv, make_labelled_csv, nothing_is_left


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of four messages."""
    found = tmp_path / "messages.csv"
    found.write_text(make_csv())
    return found


def run(path: Path, *arguments: str, **options: Any) -> tuple[str, str]:
    """What the command says on stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "import_dataset", "support", str(path), *arguments, stdout=out, stderr=err, **options
    )
    return out.getvalue(), err.getvalue()


def test_a_file_becomes_a_dataset(alice: User, project: Project, path: Path) -> None:
    out, _err = run(path, "--name", "From the terminal")
    assert out == "from-the-terminal: 4 rows (2 train, 1 dev, 1 test)\n"
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.created_by) == ("From the terminal", alice)
    assert [one.action for one in AuditEntry.objects.order_by("pk")] == [
        "dataset.upload",
        "dataset.import",
    ]


def test_large_files_are_done_here_in_pieces(
    project: Project, path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_INLINE_IMPORT_MB = 0
    monkeypatch.setattr(receiving, "PIECE", 50)
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: pytest.fail("kicked"))
    run(path)
    assert Dataset.objects.get().row_count == 4


def test_everything_can_be_chosen(project: Project, tmp_path: Path) -> None:
    builders.make_signature(project)
    path = tmp_path / "a.csv"
    path.write_text(make_labelled_csv(20).replace("message,category", "Text,Label"))
    run(
        path, "--signature", "triage", "--map", "message=Text", "--map", "category=Label",
        "--train", "80", "--dev", "10", "--test", "10", "--seed", "7", "--id-column", "Text",
        "--balance", "Label",
    )  # fmt: skip
    dataset = Dataset.objects.get()
    assert dataset.mapping == {"message": "Text", "category": "Label"}
    assert dataset.report["splits"] == {"train": 16, "dev": 2, "test": 2}
    assert (dataset.id_column, dataset.label_column) == ("Text", "Label")
    assert dataset.report["choices"]["seed"] == 7


def test_a_file_is_cut_as_somebody_says(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1|2,5\n3|4,5\n")
    run(path, "--delimiter", "|", "--header", "data")
    assert Dataset.objects.get().columns == ["column 1", "column 2"]
    assert Dataset.objects.get().row_count == 2


def test_groups_stay_together(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("who,what\n" + "".join(f"c{n % 10},text {n}\n" for n in range(200)))
    run(path, "--group", "who")
    splits: dict[str, set[str]] = {}
    for row in builders.rows_of(Dataset.objects.get()):
        splits.setdefault(row.values["who"], set()).add(row.split)
    assert all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == {"train", "dev", "test"}


def test_rows_with_problems_are_told_and_left_out_when_asked(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("message,note\nhi,x\na,b,c\n")
    err = io.StringIO()
    with pytest.raises(CommandError, match="Rows with problems: 1") as raised:
        call_command("import_dataset", "support", str(path), stderr=err)
    assert raised.value.returncode == 1
    assert "row 2 (line 3): It has 3 cells; there are 2 columns." in err.getvalue()
    assert nothing_is_left()
    out, _err = run(path, "--leave-out")
    assert out == "a: 1 row (1 train, 0 dev, 0 test), 1 left out\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--signature", "none"], "no signature"),
        (["--map", "message"], "write FIELD=COLUMN"),
        (["--map", "message=nothing"], "no column “nothing”"),
        (["--split-column", "nothing"], "Choose the column"),
        (["--delimiter", "x"], "--delimiter"),
        (["--train", "90"], "add up to"),
        (["--id-column", "nothing"], "no column “nothing”"),
        (["--sheet", "Second"], "no sheet “Second”"),
        (["--into", "nothing"], "no dataset “nothing”"),
        (["--user", "charlie"], "no member"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_kept(
    charlie: User, project: Project, tmp_path: Path, arguments: list[str], said: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(make_labelled_csv(10))
    with pytest.raises(CommandError, match=said):
        run(path, *arguments)
    assert nothing_is_left()


def test_files_and_projects_that_are_not_there(project: Project, path: Path) -> None:
    with pytest.raises(CommandError, match="no file"):
        run(path.with_name("other.csv"))
    with pytest.raises(CommandError, match="no project “sales”"):
        call_command("import_dataset", "sales", str(path))
    picture = path.with_name("a.png")
    picture.write_bytes(b"\x89PNG")
    with pytest.raises(CommandError, match="not a file that can be read"):
        run(picture)
    broken = path.with_name("a.csv")
    broken.write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match="PDF"):
        run(broken)
    broken.write_bytes(b"")
    with pytest.raises(CommandError, match="is empty"):
        run(broken)
    assert nothing_is_left()


def test_a_viewer_may_not(project: Project, path: Path) -> None:
    dana = builders.make_user("dana")
    Membership.objects.create(project=project, user=dana, role=Role.VIEWER)
    with pytest.raises(CommandError, match="role author"):
        run(path, "--user", "dana")
    assert nothing_is_left()


def test_a_file_that_breaks_while_it_is_checked_leaves_nothing(
    project: Project, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_values: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("studio.datasets.uploading.working.examine", fail)
    with pytest.raises(KeyboardInterrupt):
        run(path)
    assert not Upload.objects.exists()
    assert nothing_is_left()
