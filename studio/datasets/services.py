"""Datasets: made from rows, read as examples, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from django.db import transaction

from studio.accounts.models import Project, Role
from studio.accounts.services import record, require
from studio.accounts.slugs import findable
from studio.datasets.blocks import content_of, cut
from studio.datasets.models import Dataset, Split
from studio.datasets.reading.jsonlines import clean
from studio.datasets.reading.problems import rows as count_rows
from studio.datasets.splits.sealing import HIDDEN, may_see
from studio.datasets.splits.splitting import Splitter, label_text
from studio.datasets.table import SPLITS, Table
from studio.datasets.uploading.choices import find_label_column, normal
from studio.datasets.uploading.importing import Stage, finish, set_splits
from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError
from studio.engine.example import Example
from studio.engine.signature import Field
from studio.errors import Conflict, Invalid, NotFound

BATCH_ROWS = 5_000
SHOWN_PROBLEMS = 20

Item = tuple[Mapping[str, Any], str]
"""Values by column name, and a split."""


def get_dataset(*, project: Project, slug: str) -> Dataset:
    """The project's dataset, or `NotFound`."""
    dataset = Dataset.objects.filter(project=project, slug=findable(slug)).first()
    if dataset is None:
        raise NotFound(f"There is no dataset “{slug}” in {project.name}.")
    return dataset


def examples(
    dataset: Dataset, fields: Iterable[Field], *, split: str, number: int | None = None
) -> list[Example]:
    """The examples of one split; see `numbered_examples`."""
    return [one for _number, one in numbered_examples(dataset, fields, split=split, number=number)]


def numbered_examples(
    dataset: Dataset, fields: Iterable[Field], *, split: str, number: int | None = None
) -> list[tuple[int, Example]]:
    """The examples of one split with the numbers of their rows, of a version or the newest.

    Their values stand under field names and are of the fields' types. An input has to have a
    column: the mapping's, or one of its own name. An output without a column is left out of the
    examples. Raises `Invalid` that names missing columns, or the rows that cannot be read.
    """
    wanted = list(fields)
    table = Table(dataset, number)
    columns = columns_of(table, wanted)
    missing = [
        f.name for f in wanted if f.role == "input" and f.required and f.name not in columns
    ]
    if missing:
        raise Invalid(
            f"The dataset “{dataset.name}” has no column for the input "
            f"{', '.join(f'“{name}”' for name in missing)}. Its columns are "
            f"{', '.join(table.columns[:20])}: upload one that fits, or rename the input."
        )
    found: list[tuple[int, Example]] = []
    problems: list[str] = []
    unreadable = 0
    for row in table.rows(split):
        values: dict[str, Any] = {}
        try:
            for field in wanted:
                if field.name in columns:
                    value = row.values.get(columns[field.name])
                    given = value is not None or field.required
                    values[field.name] = field.read(value) if given else field.absent()
        except ParseError as error:
            unreadable += 1
            if len(problems) < SHOWN_PROBLEMS:
                seen = may_see(dataset, row.split)
                problems.append(f"Row {row.number}: {error if seen else HIDDEN}")
            continue
        found.append((row.number, Example(values)))
    if unreadable:
        raise Invalid(
            f"In {split} of “{dataset.name}”, {count_rows(unreadable)} cannot be read as the "
            f"fields’ types. {problems[0]} Correct the rows on the dataset’s page.",
            problems=problems,
        )
    return found


class HasColumns(Protocol):
    """A dataset, or one of its versions."""

    @property
    def columns(self) -> Any:
        """The names of its columns."""

    @property
    def mapping(self) -> Any:
        """`{field name: column name}`."""


def columns_of(dataset: HasColumns, fields: Sequence[Field]) -> dict[str, str]:
    """`{field name: column}` by the mapping, and by name where the mapping is silent."""
    by_name = {normal(column): column for column in reversed(dataset.columns)}
    found: dict[str, str] = {}
    for field in fields:
        column = str(dataset.mapping.get(field.name) or by_name.get(normal(field.name), ""))
        if column in dataset.columns:
            found[field.name] = column
    return found


@transaction.atomic
def add_dataset_from_rows(
    *,
    actor: Any,
    project: Project,
    name: str,
    slug: str,
    columns: Sequence[str],
    mapping: Mapping[str, str],
    rows: Iterable[Item],
) -> Dataset:
    """A dataset out of (values, split) pairs; needs the role author.

    Raises `Conflict` when the slug is taken and `Invalid` for a split that does not exist.
    """
    require(user=actor, project=project, role=Role.AUTHOR)
    if Dataset.everything.filter(project=project, slug=slug).exists():
        raise Conflict(f"There is a dataset “{slug}” in {project.name} already.")
    dataset = Dataset(
        project=project,
        name=name,
        slug=slug,
        columns=list(columns),
        mapping=dict(mapping),
        created_by=actor,
    )
    dataset.save()
    source = iter(rows)
    first = list(islice(source, 1_000))
    label = find_label_column(columns, [values for values, _split in first], leave_out="split")
    splitter = Splitter()
    inputs = [column for column in mapping.values() if column != label]

    def counted() -> Iterator[Item]:
        for values, split in (*first, *source):
            if split not in Split.values:
                raise Invalid(f"“{split}” is not a split: say train, dev or test.")
            key = hash(canonical_json([values.get(column) for column in inputs]))
            splitter.extend([SPLITS.index(Split(split))], [label_text(values.get(label))], [key])
            yield values, split

    stage, start, codes = Stage(dataset), 1, bytearray()
    waiting = counted()
    while taken := list(islice(waiting, BATCH_ROWS)):
        for piece in cut([clean(dict(values)) for values, _split in taken]):
            stage.add(start, content_of(piece))
            start += len(piece)
        codes.extend(SPLITS.index(Split(split)) for _values, split in taken)
    stage.flush()
    set_splits(dataset, bytes(codes))
    dataset.label_column = label
    finish(
        dataset,
        actor=actor,
        report={
            "splits": splitter.counts(),
            "labels": {"column": label, "counts": splitter.labels()} if label else {},
            "duplicates": splitter.duplicates(),
        },
    )
    record(
        project=project,
        actor=actor,
        action="dataset.add",
        subject=dataset.name,
        rows=dataset.row_count,
        fingerprint=dataset.fingerprint,
    )
    return dataset


def split_counts(dataset: Dataset) -> dict[str, int]:
    """Rows for each split."""
    counts = dataset.report.get("splits", {})
    return {split: int(counts.get(split, 0)) for split in Split.values}


@transaction.atomic
def delete_dataset(*, actor: Any, dataset: Dataset) -> None:
    """Remove a dataset and its rows; needs the role author.

    Raises `Conflict` while a run refers to it: its result could not be explained any more.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    runs = dataset.runs.count()
    if runs:
        raise Conflict(
            f"“{dataset.name}” stays: {runs:,} {'run uses' if runs == 1 else 'runs use'} it, and "
            "what they found could not be checked without it."
        )
    record(
        project=dataset.project,
        actor=actor,
        action="dataset.delete",
        subject=dataset.name,
        rows=dataset.row_count,
        fingerprint=dataset.fingerprint,
    )
    dataset.delete()
