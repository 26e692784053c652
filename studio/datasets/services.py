"""Datasets: made from rows, read as examples, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.text import slugify

from studio.accounts.models import Project, Role
from studio.accounts.services import record, require
from studio.accounts.slugs import findable
from studio.datasets.choices import find_label_column, normal
from studio.datasets.models import Dataset, Row, Split
from studio.datasets.problems import rows as count_rows
from studio.datasets.splitting import Splitter
from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError
from studio.engine.example import Example
from studio.engine.signature import Field
from studio.errors import Conflict, Invalid, NotFound

BATCH_ROWS = 5_000
BATCH_SIZE = 8_000_000
"""Characters: rows may be long, and a batch is what is in memory at once."""
SHOWN_PROBLEMS = 20
SEARCHED_COLUMNS = 50

Item = tuple[Mapping[str, Any], str]
"""Values by column name, and a split."""


def get_dataset(*, project: Project, slug: str) -> Dataset:
    """The project's dataset, or `NotFound`."""
    dataset = Dataset.objects.filter(project=project, slug=findable(slug)).first()
    if dataset is None:
        raise NotFound(f"There is no dataset “{slug}” in {project.name}.")
    return dataset


def free_slug(project: Project, name: str) -> str:
    """A slug made of `name` that no dataset of the project has."""
    base = slugify(name)[:50].strip("-") or "dataset"
    taken = set(
        Dataset.everything.filter(project=project, slug__startswith=base).values_list(
            "slug", flat=True
        )
    ) | {"upload"}  # a page of that address is there already
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug


def examples(dataset: Dataset, fields: Iterable[Field], *, split: str) -> list[Example]:
    """The examples of one split, their values under field names and of the fields' types.

    An input has to have a column: the mapping's, or one of its own name. An output without a
    column is left out of the examples. Raises `Invalid` that names missing columns, or the rows
    that cannot be read.
    """
    wanted = list(fields)
    columns = columns_of(dataset, wanted)
    missing = [
        f.name for f in wanted if f.role == "input" and f.required and f.name not in columns
    ]
    if missing:
        raise Invalid(
            f"The dataset “{dataset.name}” has no column for the input "
            f"{', '.join(f'“{name}”' for name in missing)}. Its columns are "
            f"{', '.join(dataset.columns[:20])}: upload one that fits, or rename the input."
        )
    found: list[Example] = []
    problems: list[str] = []
    unreadable = 0
    for row in Row.objects.filter(dataset=dataset, split=split).iterator(chunk_size=2_000):
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
                problems.append(f"Row {row.number}: {error}")
            continue
        found.append(Example(values))
    if unreadable:
        raise Invalid(
            f"In {split} of “{dataset.name}”, {count_rows(unreadable)} cannot be read as the "
            f"fields’ types. {problems[0]} Correct the file and upload it again.",
            problems=problems,
        )
    return found


def columns_of(dataset: Dataset, fields: Sequence[Field]) -> dict[str, str]:
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
            splitter.add(split=Split(split), label=str(values.get(label, "")), inputs=key)
            yield values, split

    write_rows(dataset, ((number, *item) for number, item in enumerate(counted(), start=1)))
    dataset.report = {
        "splits": splitter.counts(),
        "labels": {"column": label, "counts": splitter.labels()} if label else {},
        "duplicates": splitter.duplicates(),
    }
    dataset.save()
    record(
        project=project,
        actor=actor,
        action="dataset.add",
        subject=dataset.name,
        rows=dataset.row_count,
        fingerprint=dataset.fingerprint,
    )
    return dataset


def write_rows(
    dataset: Dataset,
    rows: Iterable[tuple[int, Mapping[str, Any], str]],
    *,
    after_batch: Callable[[int], None] = lambda written: None,
) -> None:
    """Write (number, values, split) in batches, and set the dataset's count and fingerprint.

    Does not save the dataset. Memory holds one batch, however many rows come.
    """
    digest = _begin_fingerprint(dataset.columns, dataset.mapping)
    batch: list[Row] = []
    size = written = 0
    for number, values, split in rows:
        line = canonical_json([split, values])
        digest.update(line.encode())
        batch.append(Row(dataset=dataset, number=number, values=values, split=split))
        size += len(line)
        if len(batch) >= BATCH_ROWS or size >= BATCH_SIZE:
            Row.objects.bulk_create(batch)
            written += len(batch)
            batch, size = [], 0
            after_batch(written)
    Row.objects.bulk_create(batch)
    dataset.row_count = written + len(batch)
    dataset.fingerprint = digest.hexdigest()


def fingerprint(dataset: Dataset) -> str:
    """The content hash of columns, mapping, rows and splits as they are in the database."""
    digest = _begin_fingerprint(dataset.columns, dataset.mapping)
    for row in Row.objects.filter(dataset=dataset).iterator(chunk_size=2_000):
        digest.update(canonical_json([row.split, row.values]).encode())
    return str(digest.hexdigest())


def _begin_fingerprint(columns: Sequence[str], mapping: Mapping[str, str]) -> Any:
    head = {"columns": list(columns), "mapping": dict(mapping)}
    return hashlib.sha256(canonical_json(head).encode())


def find_rows(dataset: Dataset, *, split: str = "", text: str = "") -> QuerySet[Row]:
    """Rows in the order of the file: those of a split, those with a text in one of their cells."""
    rows = Row.objects.filter(dataset=dataset).order_by("number")
    if split:
        rows = rows.filter(split=split)
    if text:
        match = Q()
        for number, column in enumerate(dataset.columns[:SEARCHED_COLUMNS]):
            rows = rows.alias(**{f"cell{number}": KeyTextTransform(column, "values")})
            match |= Q(**{f"cell{number}__icontains": text})
        rows = rows.filter(match)
    return rows


def split_counts(dataset: Dataset) -> dict[str, int]:
    """Rows for each split."""
    counts = dataset.report.get("splits")
    if counts:
        return {split: int(counts.get(split, 0)) for split in Split.values}
    rows = Row.objects.filter(dataset=dataset)
    return {split: rows.filter(split=split).count() for split in Split.values}


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
