"""`manage.py import_dataset`: a file becomes a dataset, by the same services as the page."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.models import Dataset, Split, Upload
from studio.datasets.reading.problems import rows
from studio.datasets.serializers import ChoicesSerializer
from studio.datasets.services import get_dataset
from studio.datasets.uploading import problem_files, receiving, uploads, working
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.looking import CUT, signatures_of
from studio.errors import NotFound, StudioError

COUNTED = ("added", "changed", "unchanged")
"""What is told of an update."""
TOLD = 10
"""So many problems are told on the terminal."""
LOOK_EVERY = 0.5
_BAR = 30
SAID = (
    "name", "signature", "delimiter", "header", "sheet", "split_column", "group", "train", "dev",
    "test", "seed", "balance", "id_column",
)  # fmt: skip


class Command(BaseCommand):
    """Take a file, check it under the choices, keep it; or say why not, and keep nothing."""

    help = (
        "Make a dataset of a file: CSV, JSON, JSON lines, Parquet or Excel, also as .gz or .zst. "
        "What is not said is chosen as on the page. Exit status 1: nothing was kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See `BaseCommand.add_arguments`."""
        parser.add_argument("project", help="the project's name in its address")
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", help="of the dataset; default: the file's")
        parser.add_argument("--signature", help="whose fields the columns fill")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="which column fills a field; may be given several times",
        )
        parser.add_argument("--delimiter", help="of a CSV file; default: what is found")
        parser.add_argument("--header", choices=["names", "data"], help="what its first row holds")
        parser.add_argument("--sheet", help="of a workbook; default: the first")
        parser.add_argument("--split-column", help="the column that says train, dev or test")
        parser.add_argument("--group", help="a column whose rows with one value stay together")
        for split, default in (("train", 60), ("dev", 20), ("test", 20)):
            parser.add_argument(f"--{split}", type=int, help=f"percent; default: {default}")
        parser.add_argument("--seed", type=int, help="of the random split; default: 0")
        parser.add_argument("--balance", help="the label column, spread evenly over the splits")
        parser.add_argument("--id-column", help="the column that names a row")
        parser.add_argument(
            "--leave-out", action="store_true", help="rows with problems are left out"
        )
        parser.add_argument(
            "--into", metavar="DATASET", help="put the rows into this dataset, by its id column"
        )
        parser.add_argument("--user", default="", help="who imports it; default: an admin")

    def handle(self, *args: Any, **options: Any) -> None:
        """See `BaseCommand.handle`."""
        try:
            self._import(options)
        except StudioError as error:
            raise CommandError(_with_problems(error)) from None

    def _import(self, options: dict[str, Any]) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        actor = _actor(project, options["user"])
        said = _said(project, options)
        target = get_dataset(project=project, slug=options["into"]) if options["into"] else None
        upload = self._receive(actor, project, path, target)
        done = False
        try:
            self._check(actor, upload, said)
            dataset = self._keep(actor, upload, leave_out=options["leave_out"])
            done = True
        finally:
            if not done:
                _throw_away(actor, upload)
        self._tell(dataset, upload, target)

    def _receive(
        self, actor: User, project: Project, path: Path, target: Dataset | None
    ) -> Upload:
        size = path.stat().st_size
        upload = receiving.announce(
            actor=actor, project=project, filename=path.name, size=size, target=target
        )
        done = False
        try:
            with path.open("rb") as file, self._bar("Copying") as bar:
                while upload.state == Upload.State.ARRIVING:
                    upload = receiving.take_piece(
                        actor=actor,
                        upload=upload,
                        offset=upload.arrived,
                        stream=_Piece(file, receiving.PIECE),
                        kick=False,
                    )
                    bar(upload.arrived / size)
            done = True
        finally:
            if not done:
                _throw_away(actor, upload)
        return upload

    def _check(self, actor: User, upload: Upload, said: ChoicesSerializer) -> None:
        self._work("Checking", upload)
        values = said.validated_data
        cut = {name: values[name] for name in CUT if name in values}
        if uploads.is_cut_anew(upload, cut):
            uploads.cut_anew(actor=actor, upload=upload, cut=cut, kick=False)
            self._work("Checking", upload)
        choices = said.choices(Choices.from_dict(upload.choices), uploads.columns_of(upload))
        if choices.to_dict() != upload.choices:
            uploads.choose(actor=actor, upload=upload, choices=choices, kick=False)
            self._work("Checking", upload)

    def _keep(self, actor: User, upload: Upload, *, leave_out: bool) -> Dataset:
        report = upload.report
        for note in report["notes"]:
            self.stderr.write(note)
        if report["problems"]["total"] and (report["left_out"] or report["blockers"]):
            self._tell_problems(upload)
        uploads.keep(
            actor=actor,
            upload=upload,
            checked=uploads.choices_hash(upload),
            leave_out=leave_out,
            kick=False,
        )
        self._work("Importing", upload)
        dataset = upload.dataset
        if upload.state != Upload.State.IMPORTED or dataset is None:
            raise CommandError(upload.error or "Another worker has taken the import over.")
        return dataset

    def _tell_problems(self, upload: Upload) -> None:
        for problem in list(problem_files.read(upload.token))[:TOLD]:
            where = f"row {problem['row']:,}" if problem["row"] else "file"
            line = f" (line {problem['line']:,})" if problem["line"] else ""
            self.stderr.write(f"{where}{line}: {problem['what']} {problem['done']}")
        more = upload.report["problems"]["total"] - TOLD
        if more > 0:
            self.stderr.write(f"… and {more:,} more.")

    def _work(self, title: str, upload: Upload) -> None:
        """Do what the upload waits for here and now, and show how far it is."""
        with self._bar(title) as bar, _watching(upload, bar):
            refusal = working.work(upload.pk)
            upload.refresh_from_db()
            while upload.waits_for_work:  # a worker was faster
                time.sleep(LOOK_EVERY)
                refusal = refusal or working.work(upload.pk)
                upload.refresh_from_db()
        if refusal is not None:
            raise refusal
        if upload.state == Upload.State.REFUSED:
            raise CommandError(upload.error)

    @contextmanager
    def _bar(self, title: str) -> Iterator[Any]:
        """Shows a part between 0 and 1 as a line on the terminal."""
        live = sys.stderr.isatty()

        def show(part: float) -> None:
            if live:
                full = round(part * _BAR)
                self.stderr.write(
                    f"\r{title} [{'█' * full}{'·' * (_BAR - full)}] {part:4.0%}", ending=""
                )
                self.stderr.flush()

        yield show
        if live:
            self.stderr.write("\r" + " " * (len(title) + _BAR + 10), ending="\r")

    def _tell(self, dataset: Dataset, upload: Upload, target: Dataset | None) -> None:
        left_out = upload.report["left_out"]
        rest = f", {left_out:,} left out" if left_out else ""
        if target is None:
            found = upload.report["splits"]
            splits = ", ".join(f"{found[split]:,} {split}" for split in Split.values)
            said = f"{rows(dataset.row_count)} ({splits}){rest}"
        else:
            counts = upload.report.get("update", {})
            named = [f"{counts[name]:,} {name}" for name in COUNTED if name in counts]
            said = ", ".join(named) + rest
        self.stdout.write(f"{dataset.slug}: {said}")


class _Piece:
    """Some bytes of a file."""

    def __init__(self, file: Any, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end of the piece."""
        block: bytes = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block


@contextmanager
def _watching(upload: Upload, bar: Any) -> Iterator[None]:
    """Inside, the upload's progress is shown now and then."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            found = Upload.objects.filter(pk=upload.pk).values_list("progress", flat=True).first()
            bar((found or 0) / 100)
        connection.close()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _actor(project: Project, username: str) -> User:
    members = Membership.objects.filter(project=project).select_related("user").order_by("pk")
    if username:
        member = members.filter(user__username=username).first()
        if member is None:
            raise CommandError(f"{username} is no member of {project}.")
        return member.user
    member = members.filter(role=Role.ADMIN).first()
    if member is None:
        raise CommandError(f"{project} has no admin: name somebody by --user.")
    return member.user


def _said(project: Project, options: dict[str, Any]) -> ChoicesSerializer:
    values = {name: options[name] for name in SAID if options[name] is not None}
    mapping: dict[str, str] = {}
    for pair in options["map"]:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise CommandError(f"--map {pair}: write FIELD=COLUMN.")
        mapping[field] = column
    if mapping:
        values["mapping"] = mapping
    said = ChoicesSerializer(data=values, context={"signatures": signatures_of(project)})
    if not said.is_valid():
        name, errors = next(iter(said.errors.items()))
        raise CommandError(f"--{str(name).replace('_', '-')}: {errors[0]}")
    return said


def _throw_away(actor: User, upload: Upload) -> None:
    try:
        upload.refresh_from_db()
        Upload.objects.filter(pk=upload.pk).update(owner="")
        uploads.discard(actor=actor, upload=upload)
    except (Upload.DoesNotExist, NotFound):
        return  # refused, and removed by that


def _with_problems(error: StudioError) -> str:
    more = [str(problem) for problem in error.problems if str(problem) not in str(error)]
    return "\n".join([str(error), *(f"  - {text}" for text in more[:TOLD])])
